"""Networks that leave the toolkit: as ONNX graphs, and as pages that run them."""
