#!/usr/bin/env python3
"""Small random models, and what Hugging Face transformers computes with them.

    models.py make [NAME..]     make tests/fixtures/models/NAME, all of them if none is named
    models.py refer DIR OUT     OUT/reference.{json,f32} for a model that lies in DIR, as in
                                models.py refer labs/models/tiny tests/fixtures/models/tiny
    models.py list              names and sizes

Needs torch and transformers from PyPI (made with the versions that reference.json states); CI
needs neither: the fixtures are kept in the tree, and the C tests read them.

A fixture is a Hugging Face directory as save_pretrained() leaves it, and beside it

reference.json  {
    "transformers", "torch": versions,
    "files": {NAME: {"bytes": N, "fnv1a": 16 hex digits}},   of the weights that were used
    "vocab": V,
    "bf16":  the same logits computed in bf16, by transformers too: their largest distance from those
             below, of a position the largest |difference| over the largest |logit|,
    "prompts": [{
        "tokens":    ids of the prompt, mixed lengths from 1 on,
        "greedy":    ids that follow, each the largest logit, of equals the smallest id;
                     tokens that end a text do not end it here,
        "gaps":      for each of these, largest logit less the second largest,
        "positions": positions of the prompt (0: behind its first token) whose logits are kept
    }, ..]}
reference.f32   the logits of these positions: float32, little-endian, [V] a position, prompts
                and positions in the order of reference.json, and nothing else

Weights keep the type they are stored in and are computed with in fp32, the whole text anew for
each token, without a cache.  fnv1a is FNV-1a of 64 bits over the bytes of a file: it tells
a reference that is older than its model.

The weights are no network's: normal, so wide that attention is sharp and the texts differ;
norms and biases are random too, so that leaving one out is seen.
"""

import argparse
import json
import os
import shutil
import sys

import torch
import transformers

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIXTURES = os.path.join(TESTS, "fixtures", "models")

PROMPTS = 64
GREEDY_TOKENS = 24
# The first prompts are of these lengths, and their logits are kept; others are of up to 48 tokens.
LENGTHS = [1, 2, 7, 8, 9, 33, 65, 127]
POSITIONS = 4

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}

# class, keys of its config, type of the weights, largest shard, keys to write as published
# models have them (older layouts than the library's own); None drops a key.
MODELS = {
    # Llama 2: every head has its own keys; tied, fp16.
    "llama-mha": ("Llama", dict(num_attention_heads=2, num_key_value_heads=2, head_dim=64,
                  tie_word_embeddings=True), "float16", None,
                  dict(rope_parameters=None, rope_theta=10000.0, rope_scaling=...)),
    "llama-gqa": ("Llama", dict(num_attention_heads=4, num_key_value_heads=2, head_dim=64,
                  rms_norm_eps=1e-5), "bfloat16", None, {}),
    # Positions stretched by 4; fp32.
    "llama-mqa": ("Llama", dict(num_attention_heads=2, num_key_value_heads=1, head_dim=64,
                  rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}),
                  "float32", None,
                  dict(rope_parameters=None, rope_theta=10000,
                       rope_scaling={"type": "linear", "factor": 4.0})),
    "llama-3.1": ("Llama", dict(num_attention_heads=2, num_key_value_heads=1, head_dim=64,
                  rope_parameters={"rope_theta": 500000.0, **LLAMA3},
                  eos_token_id=[125, 126, 127]), "bfloat16", "48KB",
                  dict(rope_parameters=None, rope_theta=500000.0, rope_scaling=LLAMA3)),
    "mistral": ("Mistral", dict(num_attention_heads=4, num_key_value_heads=2, head_dim=64,
                sliding_window=8), "bfloat16", None, {}),
    # Groups of 3 queries; a window that is not used.
    "qwen2": ("Qwen2", dict(hidden_size=24, intermediate_size=56, num_attention_heads=6,
              num_key_value_heads=2, head_dim=64, tie_word_embeddings=True,
              rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}), "bfloat16", None,
              dict(rope_parameters=None, rope_theta=1000000.0, layer_types=None,
                   use_sliding_window=False, sliding_window=8, max_window_layers=2)),
    # Twice 128 is not the hidden size.
    "qwen3": ("Qwen3", dict(num_attention_heads=2, num_key_value_heads=1, head_dim=128,
              rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}), "bfloat16", None,
              {}),
}
COMMON = dict(vocab_size=128, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
              max_position_embeddings=256, bos_token_id=1, eos_token_id=2,
              tie_word_embeddings=False)


def fnv1a(path):
    value = 0xcbf29ce484222325
    with open(path, "rb") as file:
        for byte in file.read():
            value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return f"{value:016x}"


def draw(model):
    """Fill every parameter, from its name's own seed."""
    for i, (name, p) in enumerate(sorted(model.named_parameters())):
        normal = torch.randn(p.shape, generator=torch.Generator().manual_seed(1000 + i))
        if name.endswith("norm.weight"):
            p.data = 1 + 0.25 * normal
        elif name.endswith("bias"):
            p.data = 0.5 * normal
        elif "embed_tokens" in name:
            p.data = normal / p.shape[1] ** 0.25
        else:
            p.data = 1.5 * normal / p.shape[1] ** 0.5


def make(name):
    family, keys, dtype, shard, published = MODELS[name]
    path = os.path.join(FIXTURES, name)
    shutil.rmtree(path, ignore_errors=True)
    config = getattr(transformers, family + "Config")(**{**COMMON, **keys})
    model = getattr(transformers, family + "ForCausalLM")(config).float()
    draw(model)
    model.to(getattr(torch, dtype)).save_pretrained(path, max_shard_size=shard or "1GB")
    with open(os.path.join(path, "config.json")) as file:
        config = json.load(file)
    for key, value in published.items():
        config.pop(key, None)
        if value is not None:
            config[key] = None if value is ... else value
    with open(os.path.join(path, "config.json"), "w") as file:
        json.dump(config, file, indent=2, sort_keys=True)
        file.write("\n")
    for file in os.listdir(path):
        os.chmod(os.path.join(path, file), 0o644)
    refer(path, path)


def prompts_of(model, vocab):
    """Token ids.  A trained model's own words, drawn from it; a random one says noise anyway."""
    generator = torch.Generator().manual_seed(1)
    others = torch.randint(1, 49, (PROMPTS - len(LENGTHS),), generator=generator).tolist()
    limit = model.config.max_position_embeddings - GREEDY_TOKENS
    begin = model.config.bos_token_id
    for length in LENGTHS + others:
        tokens = torch.randint(0, vocab, (1, 1), generator=generator)
        if begin is not None and length % 2:
            tokens[0, 0] = begin
        while tokens.shape[1] < min(length, limit):
            chances = model(tokens, use_cache=False).logits[0, -1].softmax(-1)
            token = torch.multinomial(chances, 1, generator=generator)
            tokens = torch.cat([tokens, token[None]], 1)
        yield tokens[0].tolist()


@torch.no_grad()
def bf16_distance(path, prompts, rows):
    """How far bf16 itself is off: what may be asked of others who compute in it."""
    model = transformers.AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.bfloat16, attn_implementation="eager").eval()
    rows, worst = iter(rows), 0
    for p in prompts:
        if p["positions"]:
            logits = model(torch.tensor([p["tokens"]]), use_cache=False).logits[0].float()
        for position in p["positions"]:
            row = next(rows)
            worst = max(worst, ((logits[position] - row).abs().max() / row.abs().max()).item())
    return worst


@torch.no_grad()
def refer(path, out):
    torch.set_num_threads(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32, attn_implementation="eager").eval()
    vocab = model.config.vocab_size
    prompts, rows = [], []
    for tokens in prompts_of(model, vocab):
        text, greedy, gaps, positions = list(tokens), [], [], []
        while len(greedy) < GREEDY_TOKENS:
            logits = model(torch.tensor([text]), use_cache=False).logits[0]
            assert logits.isfinite().all() and logits.shape == (len(text), vocab)
            if not greedy and len(prompts) < len(LENGTHS):
                last = len(tokens) - 1
                positions = sorted({last * i // (POSITIONS - 1) for i in range(POSITIONS)})
                rows += [logits[i] for i in positions]
            top = logits[-1].sort(descending=True, stable=True)
            greedy.append(top.indices[0].item())
            gaps.append(float(f"{(top.values[0] - top.values[1]).item():.4g}"))
            text.append(greedy[-1])
        prompts.append(dict(tokens=tokens, greedy=greedy, gaps=gaps, positions=positions))
    weights = sorted(f for f in os.listdir(path) if f.endswith(".safetensors"))
    reference = dict(
        transformers=transformers.__version__, torch=torch.__version__,
        files={f: dict(bytes=os.path.getsize(os.path.join(path, f)),
                       fnv1a=fnv1a(os.path.join(path, f))) for f in weights},
        vocab=vocab, bf16=float(f"{bf16_distance(path, prompts, rows):.3g}"), prompts=prompts)
    os.makedirs(out, exist_ok=True)
    torch.stack(rows).numpy().astype("<f4").tofile(os.path.join(out, "reference.f32"))
    with open(os.path.join(out, "reference.json"), "w") as file:
        # A prompt a line.
        file.write(json.dumps({**reference, "prompts": []}, separators=(",", ":"))[:-2] + "\n")
        file.write(",\n".join(json.dumps(p, separators=(",", ":")) for p in prompts) + "\n]}\n")
    texts = {tuple(p["greedy"]) for p in prompts}
    tokens = {t for p in prompts for t in p["greedy"]}
    smallest, largest = min(min(p["gaps"]) for p in prompts), max(r.abs().max() for r in rows)
    print(f"{path}: {len(texts)} texts of {len(tokens)} different tokens, smallest gap {smallest}, "
          f"largest logit {largest:.3g}")


def listing():
    for name in sorted(os.listdir(FIXTURES)):
        path = os.path.join(FIXTURES, name)
        size = sum(os.path.getsize(os.path.join(path, file)) for file in os.listdir(path))
        print(f"{size:9,d}  {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make").add_argument("names", nargs="*", metavar="NAME")
    refer_parser = commands.add_parser("refer")
    refer_parser.add_argument("path", metavar="DIR")
    refer_parser.add_argument("out", metavar="OUT")
    commands.add_parser("list")
    args = parser.parse_args()
    if args.command == "make":
        unknown = [n for n in args.names if n not in MODELS]
        if unknown:
            sys.exit(f"models.py: no model {unknown[0]!r}; there are {', '.join(MODELS)}")
        for name in args.names or MODELS:
            make(name)
    elif args.command == "refer":
        refer(args.path, args.out)
    else:
        listing()


if __name__ == "__main__":
    main()
