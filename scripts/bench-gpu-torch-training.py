#!/usr/bin/env python3
"""Times steps of training in PyTorch on the models of scripts/gpu-check --training, on the same GPU.

Two kinds of step: `float`, forward, backward and AdamW of the plain network; `qat`, the same with the
operators of I-ViT's quantization-aware training as the paper and its PyTorch release define them:
weights fake-quantized at every step, running ranges, fixed-point multiplication in float64, Shiftmax,
ShiftGELU and I-LayerNorm from elementary operations with straight-through roundings. The operators
are written here from their formulas; where a choice is open, the faster one is taken.

Multiplication: `published` finds mantissas and exponents with NumPy on the processor, as the release
does; `device` keeps them on the GPU. Ways: eager, compiled (torch.compile), autotuned (the same with
max-autotune). Needs torch with CUDA; weights and pictures are random and lie on the GPU; times are
medians by CUDA events.

    scripts/bench-gpu-torch-training.py --json torch-training.json

The file is written after every figure, and what it has already is not measured again: a run that was
cut off goes on. --device cpu --quick tries the script without a GPU; its figures mean nothing.
"""
import argparse
import json
import math
import os
import statistics
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError as e:
    sys.exit(f"bench-gpu-torch-training: {e}; needs torch")

MODELS = {
    "deit_tiny_patch16_224": dict(image=224, patch=16, dim=192, depth=12, heads=3, classes=1000),
    "deit_small_patch16_224": dict(image=224, patch=16, dim=384, depth=12, heads=6, classes=1000),
    "deit_base_patch16_224": dict(image=224, patch=16, dim=768, depth=12, heads=12, classes=1000),
    "swin_tiny_patch4_window7_224": dict(
        image=224, patch=4, dim=96, depths=[2, 2, 6, 2], heads=[3, 6, 12, 24], window=7, classes=1000
    ),
}
QUICK = {
    "micro_vit": dict(image=16, patch=4, dim=16, depth=2, heads=2, classes=5),
    "micro_swin": dict(
        image=32, patch=2, dim=8, depths=[2, 1], heads=[1, 2], window=4, classes=5
    ),
}
STEPS = [
    ("float", "fp32", None),
    ("float", "tf32", None),
    ("float", "bf16", None),
    ("qat", "fp32", "published"),
    ("qat", "tf32", "published"),
    ("qat", "fp32", "device"),
    ("qat", "tf32", "device"),
]
WAYS = ["eager", "compiled", "autotuned"]
KEY = ("model", "batch", "step", "precision", "multiply", "way")
WARM_UP = 5
SAMPLES = 20
MOMENTUM = 0.95
LARGEST = 2.0**31 - 1


class Round(torch.autograd.Function):
    """Rounds to the nearest; the gradient passes."""

    @staticmethod
    def forward(ctx, x):
        return torch.round(x)

    @staticmethod
    def backward(ctx, g):
        return g


class Floor(torch.autograd.Function):
    """Rounds down; the gradient passes."""

    @staticmethod
    def forward(ctx, x):
        return torch.floor(x)

    @staticmethod
    def backward(ctx, g):
        return g


class Quantize(torch.autograd.Function):
    """Codes of values."""

    @staticmethod
    def forward(ctx, x, scale, bits):
        ctx.save_for_backward(scale)
        n = 2 ** (bits - 1) - 1
        return torch.clamp(torch.round(x / scale), -n - 1, n)

    @staticmethod
    def backward(ctx, g):
        (scale,) = ctx.saved_tensors
        return g / scale, None, None


class Multiply(torch.autograd.Function):
    """Codes on another scale by a dyadic multiplier."""

    @staticmethod
    def forward(ctx, x, x_scale, mantissa, exponent, scale, bits):
        ctx.save_for_backward(scale)
        n = 2 ** (bits - 1) - 1
        codes = requantize(x, x_scale, mantissa, exponent)
        return torch.clamp(codes, -n - 1, n).float()

    @staticmethod
    def backward(ctx, g):
        (scale,) = ctx.saved_tensors
        return g / scale, None, None, None, None, None


class MultiplyAdd(torch.autograd.Function):
    """The same of two branches that are added."""

    @staticmethod
    def forward(ctx, x, x_scale, mantissa, exponent, y, y_scale, y_mantissa, y_exponent, scale, bits):
        ctx.save_for_backward(scale)
        n = 2 ** (bits - 1) - 1
        codes = requantize(x, x_scale, mantissa, exponent)
        codes = codes + requantize(y, y_scale, y_mantissa, y_exponent)
        return torch.clamp(codes, -n - 1, n).float()

    @staticmethod
    def backward(ctx, g):
        (scale,) = ctx.saved_tensors
        g = g / scale
        return g, None, None, None, g, None, None, None, None, None


def requantize(x, x_scale, mantissa, exponent):
    codes = torch.round(x / x_scale).double()
    return torch.round(codes * mantissa / torch.pow(2.0, exponent))


def dyadic_published(ratio):
    """Through the processor: a copy there, a wait, a copy back."""
    import numpy

    mantissa, exponent = numpy.frexp(ratio.detach().cpu().numpy())
    mantissa = numpy.floor(mantissa * 2.0**31 + 0.5)
    return (
        torch.from_numpy(numpy.asarray(mantissa)).to(ratio.device),
        torch.from_numpy(numpy.asarray(31.0 - exponent)).to(ratio.device),
    )


def dyadic_device(ratio):
    mantissa, exponent = torch.frexp(ratio)
    return torch.floor(mantissa * 2.0**31 + 0.5), 31.0 - exponent.double()


def range_scale(low, high, bits):
    most = torch.maximum(-low, high) / (2 ** (bits - 1) - 1)
    return torch.clamp(most, min=1e-8)


class Act(nn.Module):
    """Requantizes to a running range: values with their scale to values with another."""

    def __init__(self, dyadic, bits=8):
        super().__init__()
        self.bits = bits
        self.dyadic = dyadic
        self.register_buffer("low", torch.full((), -1.0))
        self.register_buffer("high", torch.full((), 1.0))

    def forward(self, x, x_scale=None, identity=None, identity_scale=None):
        with torch.no_grad():
            low, high = torch.aminmax(x if identity is None else x + identity)
            self.low.mul_(MOMENTUM).add_(low, alpha=1 - MOMENTUM)
            self.high.mul_(MOMENTUM).add_(high, alpha=1 - MOMENTUM)
            scale = range_scale(self.low, self.high, self.bits)
        if x_scale is None:
            return Quantize.apply(x, scale, self.bits) * scale, scale
        factor = self.factor(x_scale, scale)
        if identity is None:
            return Multiply.apply(x, x_scale, *factor, scale, self.bits) * scale, scale
        other = self.factor(identity_scale, scale)
        codes = MultiplyAdd.apply(
            x, x_scale, *factor, identity, identity_scale, *other, scale, self.bits
        )
        return codes * scale, scale

    @torch.no_grad()
    def factor(self, from_scale, to_scale):
        return self.dyadic(from_scale.double() / to_scale.double())


class QuantLinear(nn.Linear):
    """Integer weights, a scale an output, found anew at each step."""

    def forward(self, x, x_scale):
        with torch.no_grad():
            low, high = torch.aminmax(self.weight, dim=1)
            scale = range_scale(low, high, 8)
        weight = Quantize.apply(self.weight, scale[:, None], 8)
        out_scale = scale * x_scale
        bias = None if self.bias is None else Quantize.apply(self.bias, out_scale, 32)
        return F.linear(x / x_scale, weight, bias) * out_scale, out_scale


def quant_matmul(a, a_scale, b, b_scale):
    scale = a_scale * b_scale
    return (a / a_scale) @ (b / b_scale) * scale, scale


def shift_exponential(x, scale, n):
    """2^x of the paper by shifts: codes to codes, their scale divided by 2^n."""
    x = x + Floor.apply(x / 2) - Floor.apply(x / 16)
    with torch.no_grad():
        x0 = torch.floor(-1.0 / scale)
    x = torch.maximum(x, n * x0)
    q = Floor.apply(x / x0)
    r = x - x0 * q
    return torch.clamp(Floor.apply((r / 2 - x0) * torch.pow(2.0, n - q)), min=0)


def shiftmax(x, scale, bits=16):
    codes = x / scale
    codes = codes - codes.amax(dim=-1, keepdim=True)
    exponentials = shift_exponential(codes, scale, 15)
    total = exponentials.sum(dim=-1, keepdim=True).clamp(max=LARGEST)
    factor = Floor.apply(LARGEST / total)
    p = Floor.apply(exponentials * factor / 2.0 ** (31 - bits + 1))
    out_scale = torch.full((), 2.0 ** (1 - bits), device=x.device)
    return p * out_scale, out_scale


def shift_gelu(x, scale, bits=8):
    codes = x / scale
    largest = codes.amax(dim=-1, keepdim=True)
    sigmoid_scale = scale * 1.702
    a = shift_exponential(codes - largest, sigmoid_scale, 23)
    c = shift_exponential(-largest, sigmoid_scale, 23)
    total = (a + c).clamp(max=LARGEST)
    factor = Floor.apply(LARGEST / total)
    sigmoid = Floor.apply(a * factor / 2.0 ** (31 - bits + 1))
    out_scale = scale / 2.0 ** (bits - 1)
    return codes * sigmoid * out_scale, out_scale


class QuantNorm(nn.LayerNorm):
    """I-LayerNorm with ten Newton steps for the root."""

    def forward(self, x, scale):
        codes = x / scale
        y = codes - Round.apply(codes.mean(dim=-1, keepdim=True))
        variance = (y * y).sum(dim=-1, keepdim=True)
        root = torch.full_like(variance, 2.0**16)
        for _ in range(10):
            root = Floor.apply((root + Floor.apply(variance / root)) / 2)
        factor = Floor.apply(LARGEST / root)
        y = Floor.apply(y * factor / 2)
        unit = math.sqrt(x.shape[-1]) / 2.0**30
        with torch.no_grad():
            offset = torch.floor(self.bias / self.weight / unit)
        out_scale = unit * self.weight
        return (y + offset) * out_scale, out_scale


def windows(x, side, w, shift):
    """[batch, side², dim] to [batch·windows, w², dim]."""
    b, _, dim = x.shape
    x = x.view(b, side, side, dim)
    if shift:
        x = torch.roll(x, (-shift, -shift), (1, 2))
    x = x.view(b, side // w, w, side // w, w, dim).transpose(2, 3)
    return x.reshape(-1, w * w, dim)


def pictures(x, side, w, shift):
    """What `windows` did, undone."""
    dim = x.shape[-1]
    x = x.view(-1, side // w, side // w, w, w, dim).transpose(2, 3).reshape(-1, side, side, dim)
    if shift:
        x = torch.roll(x, (shift, shift), (1, 2))
    return x.reshape(-1, side * side, dim)


def relative_index(w):
    rows, columns = torch.meshgrid(torch.arange(w), torch.arange(w), indexing="ij")
    row, column = rows.flatten(), columns.flatten()
    return (row[:, None] - row + w - 1) * (2 * w - 1) + column[:, None] - column + w - 1


def shift_mask(side, w, shift):
    """[windows, w², w²], −100 where two tokens are not neighbours in the picture."""
    cuts = torch.zeros(side, dtype=torch.long)
    cuts[side - w : side - shift] = 1
    cuts[side - shift :] = 2
    regions = (cuts[:, None] * 3 + cuts).float().view(1, side * side, 1)
    regions = windows(regions, side, w, 0)[..., 0]
    return torch.where(regions[:, :, None] == regions[:, None, :], 0.0, -100.0)


class Site:
    """Where a block stands: its window and shift, or all tokens of a ViT."""

    def __init__(self, side=0, window=0, shifted=False):
        self.side = side
        self.window = min(window, side)
        self.shift = self.window // 2 if shifted and side > window else 0


class Bias(nn.Module):
    """Relative positions and mask of a window."""

    def __init__(self, site, heads):
        super().__init__()
        self.table = nn.Parameter(0.02 * torch.randn((2 * site.window - 1) ** 2, heads))
        self.register_buffer("index", relative_index(site.window).flatten())
        self.register_buffer(
            "mask", shift_mask(site.side, site.window, site.shift) if site.shift else None
        )

    def of(self, table):
        n = math.isqrt(self.index.shape[0])
        return table[self.index].view(n, n, -1).permute(2, 0, 1).contiguous()[None]

    def masked(self, scores):
        if self.mask is None:
            return scores
        count, heads, n, _ = scores.shape
        parts = self.mask.shape[0]
        scores = scores.view(count // parts, parts, heads, n, n)
        return (scores + self.mask[None, :, None]).view(count, heads, n, n)


class Norm(nn.LayerNorm):
    """In float32, as autocast has it on a GPU."""

    def forward(self, x):
        return super().forward(x.float())


class FloatBlock(nn.Module):
    def __init__(self, dim, heads, site):
        super().__init__()
        self.heads, self.site = heads, site
        self.norm1, self.norm2 = Norm(dim), Norm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.bias = Bias(site, heads) if site.window else None

    def forward(self, x):
        site = self.site
        y = self.norm1(x)
        if site.window:
            y = windows(y, site.side, site.window, site.shift)
        b, n, dim = y.shape
        q, k, v = self.qkv(y).view(b, n, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        y = self.proj(self.attend(q, k, v).transpose(1, 2).reshape(b, n, dim))
        if site.window:
            y = pictures(y, site.side, site.window, site.shift)
        x = x + y
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))

    def attend(self, q, k, v):
        mask = None
        if self.bias is not None:
            mask = self.bias.of(self.bias.table).to(q.dtype)
            if self.bias.mask is not None:
                mask = self.bias.masked(mask.expand(q.shape[0], -1, -1, -1)).to(q.dtype)
        if hasattr(F, "scaled_dot_product_attention"):
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        return (scores if mask is None else scores + mask).softmax(dim=-1) @ v


class QuantBlock(nn.Module):
    def __init__(self, dim, heads, site, dyadic):
        super().__init__()
        self.heads, self.site = heads, site
        self.norm1, self.norm2 = QuantNorm(dim), QuantNorm(dim)
        self.qkv, self.proj = QuantLinear(dim, 3 * dim), QuantLinear(dim, dim)
        self.fc1, self.fc2 = QuantLinear(dim, 4 * dim), QuantLinear(4 * dim, dim)
        self.bias = Bias(site, heads) if site.window else None
        for name in ("normed1", "qkved", "scores", "biased", "context", "normed2", "hidden", "active"):
            setattr(self, name, Act(dyadic))
        for name in ("projected", "middle", "mlp", "out"):
            setattr(self, name, Act(dyadic, 16))

    def forward(self, x, s):
        site = self.site
        y, t = self.normed1(*self.norm1(x, s))
        if site.window:
            y = windows(y, site.side, site.window, site.shift)
        y, t = self.attend(y, t)
        y, t = self.projected(*self.proj(y, t))
        if site.window:
            y = pictures(y, site.side, site.window, site.shift)
        x, s = self.middle(y, t, x, s)
        y, t = self.normed2(*self.norm2(x, s))
        y, t = self.hidden(*self.fc1(y, t))
        y, t = self.active(*shift_gelu(y, t))
        y, t = self.mlp(*self.fc2(y, t))
        return self.out(y, t, x, s)

    def attend(self, y, t):
        b, n, dim = y.shape
        y, t = self.qkved(*self.qkv(y, t))
        q, k, v = y.view(b, n, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        scores, u = quant_matmul(q, t, k.transpose(-2, -1), t)
        factor = (dim // self.heads) ** -0.5
        scores, u = self.scores(scores * factor, u * factor)
        if self.bias is not None:
            table = self.bias.table
            with torch.no_grad():
                table_scale = range_scale(table.min(), table.max(), 8)
            codes = Quantize.apply(table, table_scale, 8) * table_scale
            scores, u = self.biased(scores, u, self.bias.of(codes), table_scale)
            scores = self.bias.masked(scores)
        p, w = shiftmax(scores, u)
        y, w = quant_matmul(p, w, v, t)
        return self.context(y.transpose(1, 2).reshape(b, n, dim), w)


def patch_rows(x, patch):
    """A patch embedding's convolution as rows of a product: [batch, patches, 3·patch²]."""
    b, _, side, _ = x.shape
    n = side // patch
    x = x.view(b, 3, n, patch, n, patch).permute(0, 2, 4, 1, 3, 5)
    return x.reshape(b, n * n, 3 * patch * patch)


def merged(x, side):
    b, _, dim = x.shape
    x = x.view(b, side // 2, 2, side // 2, 2, dim).permute(0, 1, 3, 4, 2, 5)
    return x.reshape(b, side * side // 4, 4 * dim)


class Network(nn.Module):
    """ViT or Swin in reals, or with a way to find dyadic multipliers in quantized operators."""

    def __init__(self, image, patch, dim, classes, heads, depth=0, depths=None, window=0, dyadic=None):
        super().__init__()
        self.quantized = dyadic is not None
        self.patch, self.window = patch, window
        linear = QuantLinear if self.quantized else nn.Linear
        norm = QuantNorm if self.quantized else Norm
        side = image // patch
        self.embed = linear(3 * patch * patch, dim)
        self.blocks = nn.ModuleList()
        self.merge = nn.ModuleDict()
        self.sides = {}
        stages = depths or [depth]
        heads = heads if depths else [heads]
        for stage, count in enumerate(stages):
            for block in range(count):
                site = Site(side, window, block % 2 == 1) if window else Site()
                self.blocks.append(
                    QuantBlock(dim, heads[stage], site, dyadic)
                    if self.quantized
                    else FloatBlock(dim, heads[stage], site)
                )
            if window and stage + 1 < len(stages):
                key = str(len(self.blocks) - 1)
                self.sides[key] = side
                parts = [norm(4 * dim), linear(4 * dim, 2 * dim, bias=False)]
                if self.quantized:
                    parts += [Act(dyadic), Act(dyadic)]
                self.merge[key] = nn.ModuleList(parts)
                side, dim = side // 2, 2 * dim
        self.norm = norm(dim)
        self.head = linear(dim, classes)
        if window:
            self.embed_norm = norm(self.embed.out_features)
        else:
            self.token = nn.Parameter(1e-3 * torch.randn(1, 1, dim))
            self.positions = nn.Parameter(0.02 * torch.randn(1, side * side + 1, dim))
        if self.quantized:
            self.pixels, self.normed, self.pooled = Act(dyadic), Act(dyadic), Act(dyadic)
            self.embedded, self.joined = Act(dyadic, 16), Act(dyadic, 16)
            self.positioned = Act(dyadic, 16)

    def forward(self, x):
        return self.integers(x) if self.quantized else self.reals(x)

    def reals(self, x):
        x = self.embed(patch_rows(x, self.patch))
        if self.window:
            x = self.embed_norm(x)
        else:
            x = torch.cat((self.token.expand(x.shape[0], -1, -1).to(x.dtype), x), 1) + self.positions
        for i, block in enumerate(self.blocks):
            x = block(x)
            if str(i) in self.merge:
                norm, reduction = self.merge[str(i)]
                x = reduction(norm(merged(x, self.sides[str(i)])))
        x = self.norm(x).mean(dim=1) if self.window else self.norm(x[:, 0])
        return self.head(x)

    def integers(self, x):
        x, s = self.pixels(x)
        x, s = self.embed(patch_rows(x, self.patch), s)
        if self.window:
            x, s = self.embedded(*self.embed_norm(x, s))
        else:
            x, s = self.embedded(x, s)
            x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1)
            positions, t = self.positioned(self.positions)
            x, s = self.joined(x, s, positions, t)
        for i, block in enumerate(self.blocks):
            x, s = block(x, s)
            if str(i) in self.merge:
                norm, reduction, normed, reduced = self.merge[str(i)]
                x, s = normed(*norm(merged(x, self.sides[str(i)]), s))
                x, s = reduced(*reduction(x, s))
        x, s = self.normed(*self.norm(x if self.window else x[:, 0], s))
        if self.window:
            x, s = self.pooled(x.mean(dim=1), s)
        return self.head(x, s)[0]


class Clock:
    """Milliseconds of calls, and the most memory that they hold."""

    def __init__(self, device):
        self.cuda = device == "cuda"

    def begin(self):
        if self.cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()

    def time(self, body):
        if not self.cuda:
            start = time.perf_counter()
            body()
            return 1e3 * (time.perf_counter() - start)
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        body()
        end.record()
        end.synchronize()
        return start.elapsed_time(end)

    def peak(self):
        return torch.cuda.max_memory_allocated() if self.cuda else 0


def measure(sizes, options, kind, precision, multiply, way):
    device = options.device
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    dyadic = {"published": dyadic_published, "device": dyadic_device, None: None}[multiply]
    model = Network(**sizes, dyadic=dyadic).to(device).train()
    adam = {"fused": True} if device == "cuda" else {}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, weight_decay=1e-4, **adam)
    batch = options.batch
    pixels = torch.randn(batch, 3, sizes["image"], sizes["image"], device=device)
    labels = torch.randint(sizes["classes"], (batch,), device=device)
    run = model
    if way != "eager":
        torch._dynamo.reset()
        run = torch.compile(model, mode="max-autotune" if way == "autotuned" else "default")

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bf16"):
            loss = F.cross_entropy(run(pixels).float(), labels, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        return loss

    warm_up, samples = (1, 1) if options.quick else (WARM_UP, SAMPLES)
    for _ in range(warm_up):
        loss = step()
    if not math.isfinite(loss.item()):
        raise ArithmeticError(f"loss {loss.item()}")
    clock = Clock(device)
    clock.begin()
    times = [clock.time(step) for _ in range(samples)]
    return {"ms": statistics.median(times), "peak_bytes": clock.peak()}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", required=True, help="file that is written")
    parser.add_argument("--models", nargs="+", choices=list(MODELS))
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="one step of micro models")
    return parser.parse_args()


def main():
    options = arguments()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("bench-gpu-torch-training: PyTorch sees no GPU", file=sys.stderr)
        sys.exit(2)
    result = {"rows": []}
    if os.path.exists(options.json):
        with open(options.json) as file:
            result = json.load(file)
    name = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"
    result.update(gpu=name, torch=torch.__version__)
    models = QUICK if options.quick else MODELS
    done = {tuple(row[k] for k in KEY) for row in result["rows"]}
    for model in options.models or models:
        for way in options.ways:
            for kind, precision, multiply in STEPS:
                key = (model, options.batch, kind, precision, multiply, way)
                if key in done:
                    continue
                row = dict(zip(KEY, key))
                try:
                    row.update(measure(models[model], options, kind, precision, multiply, way))
                except Exception as e:  # A way that fails for one model must not end the others.
                    row["error"] = f"{type(e).__name__}: {e}".splitlines()[0]
                result["rows"].append(row)
                print(row, flush=True)
                with open(options.json, "w") as file:
                    json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
