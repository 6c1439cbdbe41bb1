"""Write a trained `base` as an ONNX graph with int8 matrices, an int8 embedding table and a tokenizer.

The graph is built node by node: it is small, and so it depends on no exporter.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from sekisho.guards.embedded._base import GRAPH, ROWS, TABLE, TOKENIZER

from .base import GuardNet, Trained


class _Graph:
    """Nodes and constants in the making; every method adds some and returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[np.generic]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def linear(self, x: str, part: object) -> str:
        weight, bias = (getattr(part, name).detach().numpy() for name in ("weight", "bias"))
        return self.op("Add", self.op("MatMul", x, self.constant(weight.T)), self.constant(bias))

    def norm(self, x: str, part: object) -> str:
        weight, bias = (self.constant(getattr(part, name).detach().numpy()) for name in ("weight", "bias"))
        return self.op("LayerNormalization", x, weight, bias, epsilon=float(part.eps), axis=-1)  # type: ignore[attr-defined]

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def real(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))


def _attention(graph: _Graph, x: str, layer: object, bias: str, shape: tuple[int, int]) -> str:
    """Multi-head attention. x [b, l, width] -> the same shape, before the output projection."""
    heads, size = shape

    def split(part: object, order: list[int]) -> str:
        parted = graph.op("Reshape", graph.linear(x, part), graph.integers(0, 0, heads, size))
        return graph.op("Transpose", parted, perm=order)

    q = split(layer.q, [0, 2, 1, 3])  # type: ignore[attr-defined]
    k = split(layer.k, [0, 2, 3, 1])  # type: ignore[attr-defined]
    v = split(layer.v, [0, 2, 1, 3])  # type: ignore[attr-defined]
    scores = graph.op("Add", graph.op("Mul", graph.op("MatMul", q, k), graph.real(size**-0.5)), bias)
    mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), v)
    return graph.op(
        "Reshape", graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), graph.integers(0, 0, heads * size)
    )


def _gelu(graph: _Graph, x: str) -> str:
    inner = graph.op("Add", graph.op("Erf", graph.op("Mul", x, graph.real(0.5**0.5))), graph.real(1.0))
    return graph.op("Mul", graph.op("Mul", x, inner), graph.real(0.5))


def build_graph(net: GuardNet) -> onnx.ModelProto:
    """The network as float32 ONNX: embedded [b, l, d], mask and pool [b, l] -> logits [b, outputs], hidden."""
    graph, encoder = _Graph(), net.encoder
    width = encoder.norm.weight.shape[0]
    length = graph.op("Gather", graph.op("Shape", "embedded"), graph.integers(1))
    table = graph.constant(encoder.position.weight.detach().numpy())
    positions = graph.op("Slice", table, graph.integers(0), length, graph.integers(0))
    x = graph.norm(graph.op("Add", "embedded", positions), encoder.norm)
    padding = graph.op("Mul", graph.op("Sub", graph.real(1.0), "mask"), graph.real(-1e4))
    bias = graph.op("Unsqueeze", padding, graph.integers(1, 2))
    for layer in encoder.layers:
        mixed = _attention(graph, x, layer, bias, (layer.heads, width // layer.heads))
        x = graph.norm(graph.op("Add", x, graph.linear(mixed, layer.ao)), layer.aln)
        x = graph.norm(
            graph.op("Add", x, graph.linear(_gelu(graph, graph.linear(x, layer.fi)), layer.fo)), layer.oln
        )
    pool = graph.op("Unsqueeze", "pool", graph.integers(2))
    total = graph.op("ReduceSum", graph.op("Mul", x, pool), graph.integers(1), keepdims=0)
    mean = graph.op("Div", total, graph.op("ReduceSum", "pool", graph.integers(1), keepdims=1))
    outside = graph.op("Mul", graph.op("Sub", graph.real(1.0), pool), graph.real(-1e4))
    weights = graph.op("Softmax", graph.op("Add", graph.linear(x, net.attention), outside), axis=1)
    chosen = graph.op("ReduceSum", graph.op("Mul", weights, x), graph.integers(1), keepdims=0)
    hidden = _gelu(graph, graph.linear(graph.op("Concat", mean, chosen, axis=-1), net.hidden))
    logits = graph.linear(hidden, net.out)
    graph.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    graph.nodes.append(helper.make_node("Identity", [hidden], ["hidden"]))
    names = (("embedded", ["b", "l", width]), ("mask", ["b", "l"]), ("pool", ["b", "l"]))
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in names]
    sizes = {"logits": net.out.out_features, "hidden": net.out.in_features}
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["b", size]) for n, size in sizes.items()]
    whole = helper.make_graph(graph.nodes, "sekisho-base", inputs, outputs, graph.constants)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], producer_name="sekisho")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def export_base(trained: Trained, folder: Path, *, quantise: bool = True) -> tuple[str, ...]:
    """Write everything that `BaseModel.load` reads; the names of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    model = build_graph(trained.net)
    if quantise:
        with tempfile.TemporaryDirectory() as scratch:
            onnx.save(model, str(Path(scratch) / "float.onnx"))
            # The last matrices are tiny and their outputs are read as logits: they stay float.
            heads = [node.name for node in model.graph.node if node.op_type == "MatMul"][-3:]
            quantize_dynamic(
                Path(scratch) / "float.onnx",
                folder / GRAPH,
                op_types_to_quantize=["MatMul"],
                per_channel=True,
                # Seven bits: with eight, CPUs without VNNI instructions overflow silently.
                reduce_range=True,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=heads,
            )
    else:
        onnx.save(model, str(folder / GRAPH))
    np.save(folder / TABLE, trained.table.values)
    np.savez(
        folder / ROWS,
        scales=trained.table.scales,
        segment=trained.net.segment.detach().numpy(),
        surface=trained.net.surface.detach().numpy(),
    )
    trained.tokenizer.save(str(folder / TOKENIZER), pretty=False)
    return (GRAPH, TABLE, ROWS, TOKENIZER)
