"""What a run makes of its machine: precision and threads by rule, arithmetic that gives the same bits, short waits."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import TINY

import ganutils
from ganutils import machine as machine_module
from ganutils import networks
from ganutils.compute import devices, processor
from ganutils.networks.condition import Condition
from ganutils.runs.defaults import fresh
from ganutils.runs.traits import ARCHS

BIG, SMALL = 30.0, 0.001  # GFLOP of a pass: 64x64x3 of width 64; far too little for two threads


@pytest.fixture
def machine(monkeypatch):
    """machine(amx=True, vendor="AuthenticAMD", ...): the processor and cores that the rules see."""

    def be(amx=False, bf16=False, vendor="GenuineIntel", limit=None, cores=1):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16)
        monkeypatch.setattr(machine_module, "vendor", lambda: vendor)
        monkeypatch.setattr(processor, "ALL_CORES", cores)
        monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
        if limit:
            monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)

    before = torch.get_num_threads()
    yield be
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    "features, work, precision",
    [
        (dict(), BIG, "fp32"),
        (dict(amx=True, bf16=True), BIG, "bf16"),
        (dict(amx=True, bf16=True), SMALL, "fp32"),
        (dict(amx=True, bf16=True, limit="avx512_core_amx"), BIG, "bf16"),
        (dict(bf16=True, vendor="AuthenticAMD"), BIG, "bf16"),
        (dict(bf16=True, vendor="AuthenticAMD"), SMALL, "fp32"),
        (dict(bf16=True, vendor="AuthenticAMD", limit="AVX512_CORE_BF16"), BIG, "bf16"),
        (dict(bf16=True, vendor="AuthenticAMD", limit="AVX2"), BIG, "fp32"),
        (dict(bf16=True), BIG, "fp32"),  # where the instruction exists, and is slower than those of fp32
        (dict(amx=True, bf16=True, limit="AVX512_CORE_BF16"), BIG, "fp32"),
        (dict(amx=True, bf16=True, limit="AVX2"), BIG, "fp32"),
    ],
)
def test_precision_auto_is_what_the_processor_is_fast_at(machine, features, work, precision):
    machine(**features)
    assert processor.precision(work) == precision


def test_threads_are_those_typed_else_those_of_the_run_else_as_many_as_pay(machine):
    def threads(*args):
        devices.prepare("cpu", *args)
        return torch.get_num_threads()

    machine(cores=4)
    assert threads(None, SMALL) == 1
    assert threads(None, BIG) == threads(None) == 4
    assert threads(None, BIG, 2) == threads(None, SMALL, 2) == 2
    assert threads(None, BIG, 64) == 4, "and summary says so"
    assert threads(3, SMALL, 2) == 3


@pytest.mark.parametrize("name, current", [("auto", []), ("cuda", []), ("cuda:1", [1])])
def test_a_gpu_that_is_named_is_the_current_one(machine, monkeypatch, name, current):
    machine()
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch._C, "_cuda_setDevice", chosen.append, raising=False)
    monkeypatch.setattr(torch.cuda, "_check_stray_context", lambda device: None, raising=False)
    with devices.lent():
        assert devices.prepare(name, None).type == "cuda"
    assert chosen == current


def test_a_run_keeps_its_threads(machine, pictures, tmp_path):
    machine(cores=2)
    data, small = tmp_path / pictures, dict(width=2, z_dim=4, batch=4)
    run = ganutils.Run(data, **small)
    run.save(tmp_path / "one.ckpt")
    ganutils.Run(data, threads=2, **small).save(tmp_path / "two.ckpt")
    for name, count in (("one.ckpt", 1), ("two.ckpt", 2)):
        ganutils.Run(data, checkpoint=tmp_path / name).save(tmp_path / "next.ckpt")
        with ganutils.files.container.read(str(tmp_path / "next.ckpt")) as file:
            assert file.meta["versions"]["threads"] == count


def test_a_library_leaves_its_callers_settings_as_they_were(machine, pictures, tmp_path):
    def settings():
        tf32 = torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision
        modes = torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory
        return torch.get_num_threads(), *tf32, *modes, torch.backends.cudnn.benchmark

    machine(cores=2)
    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = True
    before = settings()
    run = ganutils.Run(tmp_path / pictures, threads=2, width=2, z_dim=4, batch=4)
    seen = []
    run.train(1, tell=lambda tick: seen.append(settings()))
    assert settings() == before
    torch.backends.cudnn.benchmark = False
    assert seen == [(2, "ieee", "ieee", True, False, False)], "the same bits at every run, and fp32 in full"


@pytest.mark.parametrize("arch", ARCHS)
def test_the_size_of_a_run_is_about_right(arch):
    """Half or twice as much is near enough: the rules' limits lie where neither choice matters."""
    for size, width in ((16, 8), (32, 16), (64, 16)):
        side = size // 4 if ARCHS[arch].enlarges else size
        takes = ARCHS[arch].takes
        shape = (size, size, 1) if "images" in takes else (size**2, 1 if "signals" in takes else 21)
        config = fresh(shape, dict(arch=arch, width=width, batch=2), inputs=(side, side, 1))
        generator, discriminator = networks.construct(config)
        (h, w, c), z = config.inputs or (1, 1, 1), torch.zeros(config.batch, config.z_dim) if config.z_dim else None
        condition = Condition(inputs=torch.zeros(config.batch, c, h, w))
        counted = multiplications(generator, z, condition)
        counted += multiplications(discriminator, torch.zeros(config.batch, *shape[-1:], *shape[:-1]), condition)
        assert 0.4 < config.work / (2e-9 * counted) < 2.5, (size, width)


def multiplications(network, *given):
    """Of a pass over a batch that is given, counted."""
    total, transposed = 0, (torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d)

    def count(module, inputs, output):
        nonlocal total
        weight, batch = module.weight, len(output)
        points = (inputs[0] if isinstance(module, transposed) else output)[0, 0].numel()
        total += weight.numel() * batch * (points if weight.dim() > 2 else 1)

    for module in network.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, *transposed)):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(*given)
    return total


SPIN = "import os, ganutils; print(os.environ.get('GOMP_SPINCOUNT'))"


@pytest.mark.parametrize("name, value", [("GOMP_SPINCOUNT", "77"), ("OMP_WAIT_POLICY", "ACTIVE"), (None, None)])
def test_threads_that_wait_spin_shortly_unless_the_user_says_otherwise(name, value):
    env = {key: text for key, text in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    env |= {name: value} if name else {}
    spins = subprocess.run(
        [sys.executable, "-c", SPIN], env=env, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert spins == {"GOMP_SPINCOUNT": "77", "OMP_WAIT_POLICY": "None"}.get(name, spins)
    assert name or machine_module.vendor() not in machine_module.SPINS or 0 < int(spins) < 100_000


def test_the_option_deterministic_of_older_scripts_is_taken_and_changes_nothing(ok, run, pictures):
    for options, name in (([], "a.ckpt"), (["--deterministic"], "b.ckpt")):
        ok("gan-loop", pictures, *TINY, *options, "--steps", 2, "-o", name, "-q")
    assert ok("gan-info", "--digest", "a.ckpt").out == ok("gan-info", "--digest", "b.ckpt").out
    assert b"deterministic" not in run("gan-loop", "--help").out


@pytest.mark.parametrize("value", ["0", "many", "1.5"])
def test_threads_are_a_number_or_auto(fails, pictures, value):
    assert "--threads" in fails("gan-loop", pictures, "--threads", value, "-o", "a.ckpt", code=2)


def test_matrices_of_fp32_are_not_of_tf32(machine):
    """On the CPU they never are; on CUDA this is where it would show."""
    place = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    a = np.random.default_rng(0).normal(size=(256, 256)).astype("f4")
    with devices.lent():
        product = (devices.send(a, place) @ devices.send(a, place)).cpu().numpy()
    assert np.abs(product - a.astype("f8") @ a).max() < 1e-3
