"""ONNX graphs: one file, the same bytes from the same checkpoint, compared with ours before it takes its name."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

import ganutils
from ganutils import Error
from ganutils.export.networks import Exported
from ganutils.files import atomic
from ganutils.files.container import File

TOLERANCE = 1e-3  # largest difference from our own network that a graph may have
SHORT = 256  # bytes of a weight that stays float32: statistics and biases
NEEDED = "needs onnx, onnxscript and onnxruntime; run: pip install 'ganutils[export]'"


def write(path: str, content: bytes) -> None:
    """Write the graph, whole or not at all."""
    with atomic.replacing(path) as out:
        out.write(content)


def to_bytes(exported: Exported, file: File) -> bytes:
    """The network as an ONNX model whose batch is free. Error if it cannot be exported, or gives other numbers."""
    try:
        import onnx
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise Error(f"{file.name}: {NEEDED}") from None
    model = _exported(exported, file.name)
    _strip(model)
    model.producer_name, model.producer_version = "ganutils", ganutils.__version__
    onnx.helper.set_model_props(model, {**exported.about, "sha256": file.digest()})
    content: bytes = model.SerializeToString(deterministic=True)
    _compare(content, exported, file.name)
    return content


def _exported(exported: Exported, name: str) -> Any:
    """The model as torch makes it. Error if torch cannot."""
    try:
        with _silence():
            program = torch.onnx.export(
                exported.network.eval(),
                tuple(exported.inputs.values()),
                dynamo=True,
                external_data=False,
                input_names=list(exported.inputs),
                output_names=[exported.output],
                dynamic_shapes=tuple(_free(exported)),
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as problem:
        raise Error(f"{name}: torch {torch.__version__} cannot export it ({str(problem).splitlines()[0]})") from None
    assert program is not None  # it would be if it had been written to a file
    return program.model_proto


def _free(exported: Exported) -> Iterator[dict[int, Any]]:
    """The axes of each input whose length is free: its batch, and the sides of pictures if they may have another."""
    free = {0: torch.export.Dim("batch")}
    sides = {2: torch.export.Dim("height"), 3: torch.export.Dim("width")} if exported.another else {}
    for value in exported.inputs.values():
        yield {**free, **(sides if value.dim() == 4 else {})}


def with_half_weights(content: bytes) -> bytes:
    """The same graph with its weights as float16, which is half as long; they are cast to float32 where it begins."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_from_string(content)
    casts = []
    for number, weight in enumerate(model.graph.initializer):
        if weight.data_type == onnx.TensorProto.FLOAT and len(weight.raw_data) > SHORT:
            name, half = weight.name, f"{weight.name}.half"
            array = numpy_helper.to_array(weight).astype(np.float16)
            model.graph.initializer[number].CopyFrom(numpy_helper.from_array(array, half))
            casts.append(helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    halved: bytes = model.SerializeToString(deterministic=True)
    return halved


def _strip(model: Any) -> None:
    """Remove what the exporter notes about our source: the paths of this machine, which no two machines share."""
    for owner in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        del owner.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    del model.graph.value_info[:]


def _compare(content: bytes, exported: Exported, name: str) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for inputs in filter(None, (exported.inputs, exported.another)):
        theirs = session.run(None, {name: value.numpy() for name, value in inputs.items()})[0]
        with torch.inference_mode():
            ours = exported.network(*inputs.values()).numpy()
        difference = float(np.abs(theirs - ours).max()) if theirs.shape == ours.shape else np.inf
        if not difference <= TOLERANCE:
            raise Error(f"{name}: its graph gives other numbers than the checkpoint (by {difference:.2g}); not written")


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Without the notes that the exporter prints for developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings(), open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
