"""What `cargo bench --bench embedding` compares Sentio with.

    reference.py export MODEL_FOLDER OUTPUT_FOLDER   writes fp32.onnx and int8.onnx, exported and quantised as usual
    reference.py embed MODEL_FOLDER THREADS          embeds with sentence-transformers: a request a line, an answer a line
"""

import json
import os
import sys
import time


def export(model_folder, output_folder):
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModel.from_pretrained(model_folder, attn_implementation="eager").eval()
    inputs = dict(tokenizer("some words to trace the graph with", return_tensors="pt"))
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in inputs]
    axes = {name: {0: "batch", 1: "tokens"} for name in names + ["last_hidden_state"]}

    class States(torch.nn.Module):
        """Takes its inputs by position, which is how the exporter gives them."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *values):
            return self.model(**dict(zip(names, values)), use_cache=False).last_hidden_state

    fp32 = os.path.join(output_folder, "fp32.onnx")
    with torch.no_grad():
        torch.onnx.export(
            States().eval(),
            tuple(inputs[name] for name in names),
            fp32,
            input_names=names,
            output_names=["last_hidden_state"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    quantize_dynamic(fp32, os.path.join(output_folder, "int8.onnx"), weight_type=QuantType.QInt8)


def embed(model_folder, threads):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(model_folder, device="cpu")
    model.encode(["The first text takes longer."])
    for line in sys.stdin:
        request = json.loads(line)
        times = []
        started = time.perf_counter()
        if request["one_by_one"]:
            for text in request["texts"]:
                begun = time.perf_counter()
                model.encode([text], normalize_embeddings=True)
                times.append(time.perf_counter() - begun)
        else:
            model.encode(request["texts"], batch_size=32, normalize_embeddings=True)
        answer = {"seconds": time.perf_counter() - started, "times": times}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    command, model_folder, argument = sys.argv[1:4]
    if command == "export":
        export(model_folder, argument)
    else:
        embed(model_folder, int(argument))
