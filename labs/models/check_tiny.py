"""Is labs/models/tiny sound, and how good is it? Prints what its README.md says.

Loads the files as they are with transformers (bf16 weights, arithmetic in fp32) and measures:
the files themselves, the loss on documents not seen in training, sums, and samples.
"""

import argparse
import json
import math
import pathlib
import struct

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import stories


def check_file(path):
    """The safetensors file is bf16, without holes and sorted: by offset, names in order."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__")
    end = 0
    parameters = 0
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, next_end = tensor["data_offsets"]
        assert begin == end, name
        assert tensor["dtype"] == "BF16", name
        assert next_end - begin == 2 * math.prod(tensor["shape"]), name
        parameters += math.prod(tensor["shape"])
        end = next_end
        print("%-48s %s" % (name, tensor["shape"]))
    assert 8 + size + end == len(data)
    assert list(header) == sorted(header)
    print("%d tensors, %d parameters, %d bytes" % (len(header), parameters, len(data)))


def check_tokenizer(tokenizer):
    """Encoding and decoding gives the text back, whatever the text."""
    for text in ("Once upon a time", "3 + 4 = 7.", "  two\n\n lines\t",
                 "na\u00efve \u6f22\u5b57 \U0001f600"):
        ids = tokenizer(text)["input_ids"]
        assert ids[0] == tokenizer.bos_token_id, ids
        assert tokenizer.decode(ids[1:]) == text, text
    assert len(tokenizer) == 1024


@torch.no_grad()
def loss(model, tokenizer, teller, tell, documents):
    """Nats a token over documents on their own, each from bos to eos; bos is given."""
    nats = grammar = tokens = size = 0
    for _ in range(documents):
        teller.nats = 0.0
        text = tell()
        grammar += teller.nats
        ids = torch.tensor([tokenizer(text)["input_ids"] + [tokenizer.eos_token_id]])
        logits = model(input_ids=ids).logits[0, :-1]
        nats += torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum").item()
        tokens += ids.shape[1] - 1
        size += len(text.encode())
    return nats / tokens, nats / size / math.log(2), grammar / tokens, tokens / documents


@torch.no_grad()
def sums(model, tokenizer, pairs):
    """How many of the pairs are added right, greedily, to the full stop and eos."""
    right = 0
    for begin in range(0, len(pairs), 500):
        groups = {}
        for a, b in pairs[begin:begin + 500]:
            ids = tokenizer("%d + %d =" % (a, b))["input_ids"]
            answer = tokenizer(" %d." % (a + b), add_special_tokens=False)["input_ids"]
            answer.append(tokenizer.eos_token_id)
            groups.setdefault((len(ids), len(answer)), []).append(ids + answer)
        for (given, _), batch in groups.items():
            batch = torch.tensor(batch)
            best = model(input_ids=batch).logits.argmax(-1)
            right += (best[:, given - 1:-1] == batch[:, given:]).all(1).sum().item()
    return right


def sample(model, tokenizer, prompt, seed):
    """The text, its tokens, and whether it came to its end; seed None is greedy."""
    if seed is None:
        options = {"do_sample": False, "temperature": None}
    else:
        options = {"do_sample": True, "temperature": 0.8, "top_k": 0}
        torch.manual_seed(seed)
    ids = tokenizer(prompt, return_tensors="pt")
    out = model.generate(**ids, max_new_tokens=400, **options)[0]
    ended = out[-1].item() == tokenizer.eos_token_id
    return tokenizer.decode(out, skip_special_tokens=True), len(out), ended


def main():
    parser = argparse.ArgumentParser(description="check and measure the tiny model")
    parser.add_argument("path", nargs="?", type=pathlib.Path,
                        default=pathlib.Path(__file__).parent / "tiny")
    parser.add_argument("--documents", type=int, default=1000, help="to measure the loss on")
    parser.add_argument("--samples", type=int, default=100, help="stories to let run to the end")
    args = parser.parse_args()
    check_file(args.path / "model.safetensors")
    size = sum(file.stat().st_size for file in args.path.iterdir())
    print("directory: %d bytes" % size)
    assert size < 3.2e6
    tokenizer = AutoTokenizer.from_pretrained(args.path)
    check_tokenizer(tokenizer)
    model = AutoModelForCausalLM.from_pretrained(args.path)
    assert model.dtype == torch.bfloat16, model.dtype
    model = model.float().eval()

    trained, unseen = stories.Teller(stories.SEED_TRAIN), stories.Teller(stories.SEED_TEST)
    for what, teller, tell in (
        ("documents, trained on", trained, trained.document),
        ("documents, unseen seed", unseen, unseen.document),
        ("stories, unseen seed", unseen, unseen.story),
        ("sums, held-out pairs", unseen, lambda: unseen.sum(unseen=True)),
    ):
        figures = loss(model, tokenizer, teller, tell, args.documents)
        print("%-24s %.4f nats/token, %.4f bits/byte; grammar %.4f nats/token; %.1f tokens each"
              % (what, *figures))

    pairs = [(a, b) for a in range(100) for b in range(100)]
    for what, keep in (("held out", True), ("shown in training", False)):
        for digits in ([1, 1], [1, 2], [2, 2]):
            some = [(a, b) for a, b in pairs if stories.held_out(a, b) == keep
                    and sorted((len(str(a)), len(str(b)))) == digits]
            right = sums(model, tokenizer, some)
            print("sums %s, %d + %d digits: %d of %d right (%.2f %%)" % (
                what, *digits, right, len(some), 100 * right / len(some)))

    for prompt, seeds in (("Once upon a time", (0, 1, 2)), ("", (0, 1, 2)), ("One day,", (0,)),
                          ("Once upon a time", (None,)), ("3 + 4 =", (None,)),
                          ("27 + 58 =", (None,))):
        for seed in seeds:
            how = "greedy" if seed is None else "seed %d" % seed
            print("\n%r, %s: %s" % (prompt, how, sample(model, tokenizer, prompt, seed)[0]))

    runs = [sample(model, tokenizer, "Once upon a time", seed) for seed in range(args.samples)]
    lengths = sorted(length for _, length, _ in runs)
    print("\n%d of %d samples end by themselves; %d to %d tokens, %d in the middle; %d differ" % (
        sum(ended for _, _, ended in runs), len(runs), lengths[0], lengths[-1],
        lengths[len(runs) // 2], len({text for text, _, _ in runs})))


if __name__ == "__main__":
    main()
