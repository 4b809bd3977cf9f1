#!/usr/bin/env python3
"""What Hugging Face's logits warpers leave of random logits, for tests/test_sampling.c.

    sampling.py > tests/fixtures/sampling.json

Needs torch and transformers from PyPI; the fixture is kept in the tree, and CI needs neither.

A case is a JSON object on one line:

    logits   [vocab] fp32, exactly
    prompt, output   ids that came before
    temperature, top_k, top_p, min_p, repetition, presence, frequency   0 or 1: not applied
    kept     ids that are left, rising
    probs    their probabilities

Penalties, temperature, then min-p, top-k, top-p: vLLM's order.  Presence and frequency are
OpenAI's, as Hugging Face has none.  Warpers compute in fp64 here, so that what they leave does not
depend on rounding; a case in which a border is closer than 1e-9 is left out.
"""

import json

import torch
import transformers
from transformers import (MinPLogitsWarper, RepetitionPenaltyLogitsProcessor,
                          TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

CASES = 120


def warp(case):
    scores = torch.tensor([case["logits"]], dtype=torch.float32).double()
    came = torch.tensor([case["prompt"] + case["output"]])
    if case["repetition"] != 1:
        scores = RepetitionPenaltyLogitsProcessor(case["repetition"])(came, scores)
    for token in set(case["output"]):
        scores[0, token] -= (case["presence"]
                             + case["frequency"] * case["output"].count(token))
    # We keep penalized logits in fp32, as engines do.
    scores = scores.float().double()
    scores = TemperatureLogitsWarper(case["temperature"])(came, scores)
    if case["min_p"]:
        scores = MinPLogitsWarper(case["min_p"])(came, scores)
    if case["top_k"]:
        scores = TopKLogitsWarper(case["top_k"])(came, scores)
    before = torch.softmax(scores[0], -1)
    if case["top_p"] != 1:
        scores = TopPLogitsWarper(case["top_p"])(came, scores)
    return before, torch.softmax(scores[0], -1)


def close(case, before):
    sums = torch.cumsum(torch.sort(before, descending=True).values, -1)
    near = case["top_p"] != 1 and bool((sums - case["top_p"]).abs().min() < 1e-9)
    return near


def main():
    generator = torch.Generator().manual_seed(4)

    def number(low, high):
        return low + (high - low) * torch.rand((), generator=generator).item()

    def one_of(*choices):
        return choices[int(number(0, len(choices)))]

    print("[")
    count = 0
    while count < CASES:
        vocab = int(number(2, 40))
        logits = torch.randn(vocab, generator=generator) * number(0.5, 6)
        case = {
            "logits": logits.tolist(),
            "prompt": [int(number(0, vocab)) for _ in range(int(number(1, 6)))],
            "output": [int(number(0, vocab)) for _ in range(int(number(0, 8)))],
            "temperature": one_of(1.0, 0.25, 0.7, 1.5),
            "top_k": one_of(0, 1, 3, 10),
            "top_p": one_of(1.0, 0.1, 0.5, 0.9, 0.99),
            "min_p": one_of(0.0, 0.0, 0.05, 0.3, 1.0),
            "repetition": one_of(1.0, 1.0, 0.8, 1.3, 2.0),
            "presence": one_of(0.0, 0.0, 0.7, -1.5),
            "frequency": one_of(0.0, 0.0, 0.4, -0.5),
        }
        before, after = warp(case)
        if close(case, before):
            continue
        case["kept"] = torch.nonzero(after).flatten().tolist()
        case["probs"] = after[after > 0].tolist()
        count += 1
        print(json.dumps(case), end=",\n" if count < CASES else "\n")
    print("]")


if __name__ == "__main__":
    assert transformers.__version__
    main()
