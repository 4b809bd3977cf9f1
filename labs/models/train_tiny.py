"""Makes labs/models/tiny: a tokenizer, then a Llama-shaped model, both trained on stories.py.

    python3 -m pip install torch==2.11.0 transformers==5.17.0 tokenizers==0.23.2 safetensors==0.8.0
    python3 train_tiny.py                 about 50 minutes on two cores, 2 on a GPU
    python3 train_tiny.py --steps 300     a first look, 3 minutes
    python3 check_tiny.py                 is it sound, and how good is it?

All seeds are fixed: the same libraries on the same processor give the same files.
"""

import argparse
import json
import math
import pathlib
import re
import time

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from tokenizers import trainers
from transformers import LlamaConfig, LlamaForCausalLM

import stories

VOCABULARY = 1024
BOS, EOS = "<|begin_of_text|>", "<|end_of_text|>"
CONTEXT = 512  # tokens
ROWS = 8  # of CONTEXT tokens, in a step

# How Llama 3 cuts text before byte pairs are merged.
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": VOCABULARY - 2,
    "eos_token_id": VOCABULARY - 1,
    "head_dim": 64,
    "hidden_act": "silu",
    "hidden_size": 256,
    "initializer_range": 0.02,
    "intermediate_size": 512,
    "max_position_embeddings": CONTEXT,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "use_cache": True,
    "vocab_size": VOCABULARY,
}
GENERATION = {
    "bos_token_id": VOCABULARY - 2,
    "do_sample": True,
    "eos_token_id": VOCABULARY - 1,
    "max_new_tokens": 256,
    "temperature": 0.8,
}
TOKENIZER = {
    "added_tokens_decoder": {
        str(VOCABULARY - 2 + i): {
            "content": token,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
        for i, token in enumerate((BOS, EOS))
    },
    "bos_token": BOS,
    "clean_up_tokenization_spaces": False,
    "eos_token": EOS,
    "model_input_names": ["input_ids", "attention_mask"],
    "model_max_length": CONTEXT,
    "tokenizer_class": "PreTrainedTokenizerFast",
}


def train_tokenizer(documents):
    """A byte-level BPE, built as Llama 3's is. Digits are never merged: sums are easier so."""
    teller = stories.Teller(stories.SEED_TOKENIZER)
    pieces = (p for _ in range(documents) for p in re.split(r"\d+", teller.document()))
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(pieces, trainers.BpeTrainer(
        vocab_size=VOCABULARY - 2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    ))
    tokenizer.add_special_tokens([
        AddedToken(token, special=True, normalized=False) for token in (BOS, EOS)
    ])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(
            single=BOS + ":0 $A:0",
            pair=BOS + ":0 $A:0 " + BOS + ":1 $B:1",
            special_tokens=[(BOS, CONFIG["bos_token_id"])],
        ),
    ])
    assert tokenizer.get_vocab_size() == VOCABULARY
    return tokenizer


def rows(tokenizer, teller):
    """Rows of CONTEXT tokens, for ever. Each begins with a document and has the last one cut."""
    documents = iter(())
    while True:
        row = []
        while len(row) < CONTEXT:
            ids = next(documents, None)
            if ids is None:
                texts = [teller.document() + EOS for _ in range(2000)]
                documents = (e.ids for e in tokenizer.encode_batch(texts))
                continue
            row += ids
        yield row[:CONTEXT]


def rate(step, steps, peak):
    """Learning rate: up in 100 steps, then a cosine down to nothing."""
    return peak * min((step + 1) / 100, 0.5 + 0.5 * math.cos(math.pi * step / steps))


def train(config, tokenizer, steps, peak):
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = LlamaForCausalLM(config).to(device)
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.95),
    )
    source = rows(tokenizer, stories.Teller(stories.SEED_TRAIN))
    begin, mean = time.time(), 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps, peak)
        batch = torch.tensor([next(source) for _ in range(ROWS)]).to(device)
        with torch.autocast(device, torch.bfloat16):
            logits = model(input_ids=batch, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1).float(), batch[:, 1:].flatten()
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        mean += (loss.item() - mean) / min(step + 1, 100)
        if (step + 1) % 100 == 0 or step + 1 == steps:
            seconds = time.time() - begin
            print("step %5d  loss %.4f  %6.2f M tokens  %5.1f min  %6.0f tokens/s" % (
                step + 1, mean, (step + 1) * batch.numel() / 1e6, seconds / 60,
                (step + 1) * batch.numel() / seconds), flush=True)
    return model.cpu()


def save(model, tokenizer, path):
    path.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: tensor.detach().cpu().to(torch.bfloat16).contiguous()
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight"  # tied to the embedding
    }
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(path / "tokenizer.json"))
    for name, content in (("config", CONFIG), ("generation_config", GENERATION),
                          ("tokenizer_config", TOKENIZER)):
        text = json.dumps(content, indent=2, sort_keys=True)
        (path / (name + ".json")).write_text(text + "\n")


def main():
    parser = argparse.ArgumentParser(description="train the tiny model")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "tiny")
    parser.add_argument("--steps", type=int, default=3600, help="of %d tokens" % (ROWS * CONTEXT))
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shape", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.shape:
        CONFIG.update(json.loads(args.shape))
    torch.set_num_threads(args.threads)
    tokenizer = train_tokenizer(50000)
    keys = {k: v for k, v in CONFIG.items() if k not in ("architectures", "torch_dtype")}
    model = train(LlamaConfig(**keys), tokenizer, args.steps, args.rate)
    save(model, tokenizer, args.out)


if __name__ == "__main__":
    main()
