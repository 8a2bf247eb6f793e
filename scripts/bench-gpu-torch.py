#!/usr/bin/env python3
"""Times PyTorch on the models and batches of scripts/gpu-check, on the same GPU.

Needs torch with CUDA and timm; weights are random, inputs lie on the GPU, times are medians by CUDA
events. Precisions: fp32 (TF32 off), tf32, fp16, bf16. Ways: eager, graph (eager under a CUDA graph),
compiled (torch.compile, max-autotune, which uses CUDA graphs itself).

    scripts/bench-gpu-torch.py --json torch.json
    scripts/bench-gpu-torch.py --json torch.json --models deit_base_patch16_224 --ways compiled

The file is written after every figure, and what it has already is not measured again: a run that was
cut off goes on.
"""
import argparse
import json
import os
import statistics
import sys

MODELS = [
    "deit_tiny_patch16_224",
    "deit_small_patch16_224",
    "deit_base_patch16_224",
    "swin_tiny_patch4_window7_224",
    "swin_small_patch4_window7_224",
]
BATCHES = [1, 8, 32, 128]
PRECISIONS = ["fp32", "tf32", "fp16", "bf16"]
WAYS = ["eager", "graph", "compiled"]
SAMPLES = 30
SAMPLE_MS = 20.0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", required=True, help="file that is written")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    return parser.parse_args()


def median_ms(torch, body):
    """Median milliseconds of one call, each sample long enough for the events' resolution."""
    for _ in range(5):
        body()
    torch.cuda.synchronize()

    def sample(times):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(times):
            body()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / times

    times = max(1, min(10_000, int(SAMPLE_MS / max(sample(5), 1e-4))))
    return statistics.median(sample(times) for _ in range(SAMPLES))


def graphed(torch, model, pixels):
    """The model under a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            model(pixels)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        model(pixels)
    return graph.replay


def measure(torch, timm, name, batch, precision, way):
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision, torch.float32)
    torch.manual_seed(1)
    model = timm.create_model(name, pretrained=False).eval().cuda().to(dtype)
    pixels = torch.randn(batch, 3, 224, 224, device="cuda", dtype=dtype)
    with torch.inference_mode():
        if way == "compiled":
            torch._dynamo.reset()
            compiled = torch.compile(model, mode="max-autotune")
            return median_ms(torch, lambda: compiled(pixels))
        if way == "graph":
            return median_ms(torch, graphed(torch, model, pixels))
        return median_ms(torch, lambda: model(pixels))


def main():
    options = arguments()
    try:
        import timm
        import torch
    except ImportError as e:
        sys.exit(f"bench-gpu-torch: {e}; needs torch and timm")
    if not torch.cuda.is_available():
        print("bench-gpu-torch: PyTorch sees no GPU", file=sys.stderr)
        sys.exit(2)
    result = {"rows": []}
    if os.path.exists(options.json):
        with open(options.json) as file:
            result = json.load(file)
    result.update(gpu=torch.cuda.get_device_name(), torch=torch.__version__, timm=timm.__version__)
    done = {(r["model"], r["batch"], r["precision"], r["way"]) for r in result["rows"]}
    for way in options.ways:
        for name in options.models:
            for batch in options.batches:
                for precision in options.precisions:
                    if (name, batch, precision, way) in done:
                        continue
                    row = {"model": name, "batch": batch, "precision": precision, "way": way}
                    try:
                        row["ms"] = measure(torch, timm, name, batch, precision, way)
                    except Exception as e:  # A way that fails for one shape must not end the others.
                        row["error"] = f"{type(e).__name__}: {e}".splitlines()[0]
                    result["rows"].append(row)
                    print(row, flush=True)
                    with open(options.json, "w") as file:
                        json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
