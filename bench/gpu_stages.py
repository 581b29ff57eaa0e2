"""The stages of bench/gpu, each run as a process: gpu_stages.py NAME [--tiny]."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

CASES = [((64, 64, 3), 64), ((32, 32, 1), 32)]  # shape and width
ON_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if ON_GPU else "cpu")


def say(kind: str, **finding: object) -> None:
    """Print a finding, and append it to the file that GPU_LINES names."""
    line = json.dumps({"kind": kind, **finding})
    print(line, flush=True)
    with open(os.environ["GPU_LINES"], "a") as lines:
        lines.write(line + "\n")


# measuring


def wait() -> None:
    if ON_GPU:
        torch.cuda.synchronize()


def seconds_of(work: Callable[[], object], times: int = 1) -> float:
    """Seconds of one call of `work`, the mean of `times`."""
    wait()
    start = time.perf_counter()
    for _ in range(times):
        work()
    wait()
    return (time.perf_counter() - start) / times


def rate(step: Callable[[], object], batch: int, seconds: float) -> dict[str, float]:
    """Images a second of a training step: median, least and most of three rounds that take `seconds` together."""
    seconds_of(step, 3)
    count = max(3, int(seconds / 3 / seconds_of(step, 3)))
    rates = sorted(batch / seconds_of(step, count) for _ in range(3))
    return {"images_per_second": round(rates[1], 1), "low": round(rates[0], 1), "high": round(rates[2], 1)}


def kernels(step: Callable[[], object], count: int = 10) -> dict[str, object]:
    """Kernels of a step, and the share of its time in which one runs; the longest ones, with their microseconds."""
    if not ON_GPU:
        return {}
    wall = seconds_of(step, count)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
        for _ in range(count):
            step()
        wait()
    rows = sorted((row for row in profiler.key_averages()), key=lambda row: -row.self_device_time_total)
    rows = [row for row in rows if row.self_device_time_total > 0]
    busy = sum(row.self_device_time_total for row in rows) / count / 1e6
    longest = [[row.key[:80], round(row.self_device_time_total / count, 1)] for row in rows[:8]]
    number = round(sum(row.count for row in rows) / count)
    return {"kernels": number, "kernel_ms": busy * 1e3, "share": round(busy / wall, 3), "longest": longest}


@contextlib.contextmanager
def fresh_memory() -> Iterator[Callable[[], float]]:
    """Yield what tells the most megabytes allocated on the GPU since the block began."""
    if ON_GPU:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    yield lambda: round(torch.cuda.max_memory_allocated() / 1e6) if ON_GPU else 0.0


def cases(tiny: bool) -> Iterator[tuple[tuple[int, int, int], int, int]]:
    """Shape, width and batch of each network that is measured."""
    for shape, width in CASES:
        for batch in (8,) if tiny else (64, 512):
            yield shape, 4 if tiny else width, batch


def noise(shape: tuple[int, ...], count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


# stages


def ceilings(tiny: bool) -> None:
    """What the machine can do at best."""
    name = torch.cuda.get_device_name() if ON_GPU else "no GPU"
    say("machine", name=name, torch=torch.__version__, cudnn=torch.backends.cudnn.version())
    n = 64 if tiny else 8192
    kinds = [("bf16", torch.bfloat16, False), ("tf32", torch.float32, True), ("fp32", torch.float32, False)]
    for name, dtype, tf32 in kinds:
        torch.backends.cuda.matmul.allow_tf32 = tf32
        a, b = (torch.randn(n, n, device=DEVICE, dtype=dtype) for _ in range(2))
        seconds = statistics.median(seconds_of(lambda a=a, b=b: a @ b) for _ in range(8))
        say("ceiling", what=f"matrix product, {name}", value=round(2 * n**3 / seconds / 1e12, 2), unit="TFLOP/s")
    x = torch.empty(n * n * 8, dtype=torch.uint8, device=DEVICE)
    y = torch.empty_like(x)
    y.copy_(x)
    seconds = seconds_of(lambda: y.copy_(x), 10)
    say("ceiling", what="copy on the device", value=round(2 * x.numel() / seconds / 1e12, 3), unit="TB/s")
    for pinned in (False, True) if ON_GPU else (False,):
        host = torch.empty(x.numel(), dtype=torch.uint8, pin_memory=pinned)
        host.copy_(x)
        seconds = seconds_of(lambda host=host, pinned=pinned: host.copy_(x, non_blocking=pinned))
        what = f"copy to {'pinned' if pinned else 'pageable'} memory"
        say("ceiling", what=what, value=round(x.numel() / seconds / 1e9, 2), unit="GB/s")
    small = torch.zeros(1, device=DEVICE)
    seconds = seconds_of(lambda: small.add_(1), 2000)
    say("ceiling", what="a launch", value=round(seconds * 1e6, 2), unit="us")
    if ON_GPU:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(500):
                small.add_(1)
        graph.replay()
        value = seconds_of(graph.replay, 10) / 500 * 1e6
        say("ceiling", what="a node of a recorded graph", value=round(value, 2), unit="us")


def plain(tiny: bool) -> None:
    """The widely copied loop, in four ways."""
    from plain import Plain

    from ganutils.runs.defaults import fresh

    torch.backends.cudnn.benchmark = True  # as pytorch/examples does
    for shape, width, batch in cases(tiny):
        pictures = noise(shape, 64 if tiny else 8192)
        for way, change in PLAIN_WAYS.items():
            if way == "autocast" and not ON_GPU:
                continue
            with fresh_memory() as megabytes, tempfile.TemporaryDirectory() as folder:
                loop = Plain(fresh(shape, {"width": width, "batch": batch}), pictures, DEVICE)
                change(loop, batch, shape, folder)
                found = rate(loop.step, batch, 0.1 if tiny else 3.0)
                more = {} if way == "as shipped, JPEGs" else kernels(loop.step)  # its own wait is for the loader
                say("plain", way=way, shape=shape, batch=batch, **found, mb=megabytes(), **more)
                loop.batches = None  # ends the loader's workers


def load(loop: Any, dataset: Any, batch: int, **how: Any) -> None:
    """Let `loop` read `dataset`; workers that stay, since this data set is shorter than those of the examples."""
    loop.loader = torch.utils.data.DataLoader(
        dataset, batch, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True, **how
    )
    loop.batches = iter(loop.loader)


def jpegs(loop: Any, batch: int, shape: tuple[int, ...], folder: str) -> None:
    """As pytorch/examples reads CelebA: files of 178x218, resized and cropped as they are needed."""
    from PIL import Image
    from torchvision import datasets, transforms

    h, w, channels = shape
    os.mkdir(os.path.join(folder, "all"))
    rng = np.random.default_rng(0)
    for number in range(2 * batch):
        picture = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        picture.resize((178, 218), Image.Resampling.BICUBIC).save(os.path.join(folder, "all", f"{number}.jpg"))
    gray = [transforms.Grayscale()] if channels == 1 else []
    scale = [transforms.ToTensor(), transforms.Normalize([0.5] * channels, [0.5] * channels)]
    steps = [transforms.Resize(h), transforms.CenterCrop((h, w)), *gray, *scale]
    files = datasets.ImageFolder(folder, transforms.Compose(steps))
    load(loop, files, batch, collate_fn=lambda pairs: torch.stack([picture for picture, _ in pairs]))


def decoded(loop: Any, batch: int, shape: tuple[int, ...], folder: str) -> None:
    load(loop, loop.loader.dataset, batch)


def autocast(loop: Any, batch: int, shape: tuple[int, ...], folder: str) -> None:
    """bf16 inside the networks, pinned batches."""
    load(loop, loop.loader.dataset, batch, pin_memory=True)
    for network in (loop.G, loop.D):
        network.forward = torch.autocast(DEVICE.type, torch.bfloat16)(network.forward)
        network.register_forward_hook(lambda _, __, out: out.float())  # BCELoss wants fp32


class Same:
    """A loader that gives the same batch on the device for ever."""

    def __init__(self, batch: torch.Tensor):
        self.batch = batch

    def __next__(self) -> torch.Tensor:
        return self.batch


def no_loader(loop: Any, batch: int, shape: tuple[int, ...], folder: str) -> None:
    loop.batches = Same(torch.randn(batch, shape[2], *shape[:2], device=DEVICE))


PLAIN_WAYS = {
    "as shipped, JPEGs": jpegs,
    "as shipped, decoded": decoded,
    "autocast": autocast,
    "no loader": no_loader,
}


def engine(tiny: bool) -> None:
    """gan-loop's engine on pictures in memory: the plain loop's networks and loss, also with algorithms that a timing
    chooses; and the default, which has penalties.
    """
    from ganutils.compute import devices

    device = devices.prepare("auto", None)
    ways = [("bf16", True), ("bf16", False), ("fp32", True), ("fp32", False)]
    for shape, width, batch in cases(tiny):
        for precision, recorded in ways:
            if recorded and not ON_GPU:
                continue
            run_engine(tiny, device, shape, width, batch, precision, recorded)
        run_engine(tiny, device, shape, width, batch, "bf16", ON_GPU, is_default=True)
    torch.set_deterministic_debug_mode("default")
    torch.backends.cudnn.benchmark = True
    for shape, width, batch in cases(tiny):
        run_engine(tiny, device, shape, width, batch, "bf16", ON_GPU, is_free=True)


def run_engine(
    tiny: bool,
    device: torch.device,
    shape: tuple[int, int, int],
    width: int,
    batch: int,
    precision: str,
    recorded: bool,
    is_default: bool = False,
    is_free: bool = False,
) -> None:
    from plain import LIKE_PLAIN

    from ganutils.runs.defaults import fresh
    from ganutils.training.batches import TrainingSet
    from ganutils.training.gan import begin
    from ganutils.training.trainer import Trainer

    given = {"width": width, "batch": batch, "precision": precision}
    config = fresh(shape, given if is_default else given | LIKE_PLAIN)
    with fresh_memory() as megabytes:
        data = TrainingSet(noise(shape, 64 if tiny else 20_000))
        trainer = Trainer(begin(config, None), data, device)
        if recorded:
            trainer.record()
        steps = 0

        def step() -> None:
            nonlocal steps
            trainer.step()
            steps += 1
            if steps % 50 == 0:  # as often as gan-loop
                trainer.measures()

        ready = seconds_of(step)
        found = rate(step, batch, 0.1 if tiny else 2.0)
        trainer.measures()
        if trainer.problem:
            say("failed", stage="engine", what=f"not recorded: {trainer.problem}")
        more = ", the default" * is_default + ", free to choose algorithms" * is_free
        way = f"{precision}, {'recorded' if recorded else 'eager'}{more}"
        about = {"way": way, "shape": shape, "batch": batch, "first_step_s": round(ready, 2), "mb": megabytes()}
        say("engine", **about, **found, **kernels(trainer.step), problem=trainer.problem)


def commands(folder: str) -> Callable[..., bytes]:
    """run("gan-loop", ...) -> its stdout, in `folder`, as a user would."""

    def run(name: str, *words: object, stdin: bytes | None = None) -> bytes:
        line = [sys.executable, str(ROOT / "bin" / name), *map(str, words)]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(line, cwd=folder, env=env, input=stdin, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"{name} {' '.join(map(str, words))}: {done.stderr.decode()[-300:]}")
        return done.stdout

    return run


MODELS = {
    "modern": [],
    "modern, augmented": ["--augment", "translate,cutout,color"],
    "resnet, r1 and r2": ["--arch", "resnet", "--loss", "relativistic", "--r1", 1, "--r2", 1],
    "wgan-gp2017": ["--preset", "wgan-gp2017"],
    "quickdraw2019": ["--preset", "quickdraw2019"],
}


def laws(tiny: bool) -> None:
    """Twice the same; interrupted as uninterrupted; by hand as by the loop, which also carries everything else through.

    The loops are long enough to be recorded; the phases by hand are not, so the last law compares the two ways.
    """
    steps = 4 if tiny else 120
    with tempfile.TemporaryDirectory() as folder:
        run = commands(folder)
        run("gan-data", "toy:faces", "--size", 32, "--limit", 64 if tiny else 2000, "-o", "data.safetensors", "-q")

        def digest(stdin: bytes | None = None, name: str = "-") -> bytes:
            return run("gan-info", "--digest", name, stdin=stdin)

        def check(name: str, more: list[Any]) -> None:
            model = ["data.safetensors", "--width", 2 if tiny else 32, "--batch", 4 if tiny else 64, *more, "-q"]
            loop = lambda out, steps: run("gan-loop", *model, "--steps", steps, "-o", out)  # noqa: E731
            loop(f"{name}.a", steps)
            loop(f"{name}.b", steps)
            loop(f"{name}.c", steps // 2)
            between = digest(name=f"{name}.c")
            loop(f"{name}.c", steps)
            by_hand = run("gan-loop", *model, "--steps", steps // 2 - 1)
            for command in ("gan-train-d", "gan-train-g"):
                updates = d_updates(more) if command == "gan-train-d" else 1
                by_hand = run(command, "data.safetensors", "--from", "-", "--updates", updates, "-q", stdin=by_hand)
            whole = digest(name=f"{name}.a")
            found = {"twice": digest(name=f"{name}.b") == whole, "resumed": digest(name=f"{name}.c") == whole}
            say("laws", model=name, **found, by_hand=digest(by_hand) == between)

        with concurrent.futures.ThreadPoolExecutor(2 if tiny else 5) as pool:
            list(pool.map(lambda pair: check(*pair), MODELS.items()))


def d_updates(more: list[Any]) -> int:
    """Updates of the discriminator in a step of a model."""
    from ganutils.runs.presets import PRESETS

    preset = more[more.index("--preset") + 1] if "--preset" in more else "modern"
    return PRESETS[preset].get("d_updates", 1)


def quality(tiny: bool) -> None:
    """bf16 must cost nothing: real digits where --mnist names them, else drawn faces."""
    with tempfile.TemporaryDirectory() as folder:
        run = commands(folder)
        mnist = os.environ.get("GPU_MNIST")
        source = [mnist] if mnist else ["toy:faces", "--limit", 20_000]
        few = ["--limit", 200] if tiny else []
        run("gan-data", *source, "--size", 32, *few, "-o", "real.safetensors", "-q")
        steps = 2 if tiny else 4000
        model = ["--width", 2 if tiny else 32, "--steps", steps, "--decay", f"{steps // 2}:{steps}", "-q"]

        def train(run_of: tuple[str, int]) -> float:
            precision, seed = run_of
            how = ["--precision", precision, "--seed", seed, "-o", f"{precision}-{seed}.ckpt"]
            return seconds_of(lambda: run("gan-loop", "real.safetensors", *model, *how))

        runs = [(precision, seed) for precision in ("fp32", "bf16") for seed in (0, 1)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            taken = list(pool.map(train, runs))
        for (precision, seed), seconds in zip(runs, taken, strict=True):
            limit = ["--limit", 100 if tiny else 5000, "--root", "."]
            text = run("gan-eval", "real.safetensors", f"{precision}-{seed}.ckpt", *limit, "-q")
            scores = {name: json.loads(text)[name] for name in ("frechet_distance", "precision", "recall")}
            say("quality", trained_in=precision, seed=seed, seconds=round(seconds, 1), **scores)


def sample(tiny: bool) -> None:
    """gan-sample's rate, its start included."""
    with tempfile.TemporaryDirectory() as folder:
        run = commands(folder)
        run("gan-data", "toy:faces", "--size", 64, "--limit", 64, "-o", "data.safetensors", "-q")
        run("gan-loop", "data.safetensors", "--width", 2 if tiny else 64, "--steps", 0, "-o", "g.ckpt", "-q")
        for count in (64,) if tiny else (64, 100_000):
            words = ["g.ckpt", "-n", count, "-o", "x.safetensors", "-q"]
            seconds = seconds_of(lambda words=words: run("gan-sample", *words))
            say("sample", count=count, seconds=round(seconds, 2), images_per_second=round(count / seconds))


def tests(tiny: bool) -> None:
    """The tests that need a GPU; where there is none they say so."""
    words = ["-m", "pytest", "-q", "-m", "gpu", "--no-header", "-p", "no:cacheprovider", "tests/test_gpu.py"]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    say("tests", code=done.returncode, said=done.stdout.splitlines()[-1:])


STAGES = {stage.__name__: stage for stage in (ceilings, plain, engine, laws, quality, sample, tests)}

if __name__ == "__main__":
    STAGES[sys.argv[1]]("--tiny" in sys.argv or not ON_GPU)
