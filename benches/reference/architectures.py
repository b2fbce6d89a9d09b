"""Models in the shape of published ones, with random weights: for speed and agreement where no release can be fetched.

    architectures.py make OUTPUT_FOLDER TEXTS_FILE          makes the sentence-transformers folders that are not there
        [--minilm MODEL_FOLDER] [--mpnet MODEL_FOLDER]      the released models whose WordPiece tokenizers are taken
    architectures.py vectors MODEL_FOLDER TEXTS OUTPUT      embeds TEXTS, a JSON list, with sentence-transformers

TEXTS_FILE is .jsonl.gz: articles with `title` and `content` or `text`. Byte-level BPE and Unigram tokenizers are
trained on it; where their vocabularies are smaller than the published ones, the embedding tables keep the published
size. Made again, all files are the same but the Unigram tokenizer's, whose training is not repeatable. OUTPUT is
written like the golden.json of the tests: token ids and an fp32 vector for each text.
"""

import argparse
import gzip
import itertools
import json
import math
import tempfile
from pathlib import Path

SEED = 20261124
TRAINING_TEXTS = 10_000
REPOSITORY = Path(__file__).resolve().parents[2]

# The published configurations. `kind` is the tokenizer's, `window` the tokens that the model sees of a text.
ARCHITECTURES = {
    "all-distilroberta-v1": {
        "kind": "bpe",
        "window": 512,
        "model_type": "roberta",
        "hidden_size": 768,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 50265,
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
    },
    "all-mpnet-base-v2": {
        "kind": "mpnet",
        "window": 384,
        "model_type": "mpnet",
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30527,
        "max_position_embeddings": 514,
        "layer_norm_eps": 1e-5,
    },
    "all-MiniLM-L12-v2": {
        "kind": "minilm",
        "window": 128,
        "model_type": "bert",
        "hidden_size": 384,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
    },
    # A BERT with the tokenizer of XLM-R; its configuration keeps BERT's padding token, 0, and the tokenizer has 1.
    "multilingual-e5-small": {
        "kind": "unigram",
        "window": 512,
        "model_type": "bert",
        "hidden_size": 384,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
        "vocab_size": 250037,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
    },
    "distilbert-base": {
        "kind": "minilm",
        "window": 512,
        "model_type": "distilbert",
        "dim": 768,
        "n_layers": 6,
        "n_heads": 12,
        "hidden_dim": 3072,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
    },
}

# Standard deviations. With the usual 0.02 all texts have nearly the same vector, and a wrong encoder would pass for a
# right one: the layers hardly add to their input, and what all texts share (token types, biases, the mean of GELU) is
# as large as what they don't. So words outweigh the rest, what is shared is small, and matrices are scaled by their
# inputs such that attention tells tokens apart. Larger ones make the network chaotic: rounding, as in int8, drowns all.
WORDS, POSITIONS, TOKEN_TYPES, BIASES, NORM_SCALES, RELATIVE_POSITIONS = 1.0, 0.2, 0.05, 0.03, 0.1, 0.5
ATTENTION_SCORES, ATTENTION_VALUES, FEED_FORWARD = 1.5, 2.0, 0.7
SCORES = ("query", "key", "attn.q", "attn.k", "q_lin", "k_lin")


def make(output_folder, texts_file, released):
    texts = list(itertools.islice(articles(texts_file), TRAINING_TEXTS))
    for name, settings in ARCHITECTURES.items():
        folder = output_folder / name
        if folder.exists():
            continue
        settings = dict(settings)
        window = settings.pop("window")
        tokenizer = fast_tokenizer(settings.pop("kind"), texts, released, window)
        save(random_model(settings), tokenizer, folder)
        print(f"{folder} is made", flush=True)


def articles(texts_file):
    with gzip.open(texts_file, "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            yield article.get("title", "") + "\n" + (article.get("content") or article.get("text") or "")


def fast_tokenizer(kind, texts, released, window):
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    if kind in released:
        tokenizer = Tokenizer.from_file(str(released[kind] / "tokenizer.json"))
        # As released they cut at 128 tokens and fill up to 128.
        tokenizer.no_truncation()
        tokenizer.no_padding()
    else:
        tokenizer = {"bpe": train_bpe, "unigram": train_unigram}[kind](texts)
    if kind == "minilm":
        special = dict(zip(("cls", "sep", "pad", "unk", "mask"), ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")))
    else:
        special = dict(zip(("cls", "sep", "pad", "mask"), ("<s>", "</s>", "<pad>", "<mask>")))
        special["unk"] = "[UNK]" if kind == "mpnet" else "<unk>"
    special = {f"{role}_token": token for role, token in special.items()}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=window, **special)


SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def train_bpe(texts):
    """A tokenizer like RoBERTa's."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = ARCHITECTURES["all-distilroberta-v1"]["vocab_size"]
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            min_frequency=2,
            special_tokens=SPECIAL_TOKENS,
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def train_unigram(texts):
    """A tokenizer like XLM-R's, with NFKC in place of its own table of characters."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(
        texts,
        trainers.UnigramTrainer(
            vocab_size=32_000, special_tokens=SPECIAL_TOKENS, unk_token="<unk>", show_progress=False
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def random_model(settings):
    import torch
    from transformers import AutoConfig, AutoModel

    model = AutoModel.from_config(AutoConfig.for_model(**settings)).eval()
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, deviation(name, parameter.shape), generator=generator)
            if is_norm_scale(name):
                parameter.add_(1.0)
    return model


def is_norm_scale(name):
    return "norm" in name.lower() and name.endswith("weight")


def deviation(name, shape):
    """The standard deviation of a tensor's numbers."""
    if name.endswith("bias"):
        return BIASES
    if is_norm_scale(name):
        return NORM_SCALES
    if "relative_attention_bias" in name:
        return RELATIVE_POSITIONS
    if "token_type_embeddings" in name:
        return TOKEN_TYPES
    if "embeddings" in name:
        return WORDS if "word" in name else POSITIONS
    if any(part in name for part in SCORES):
        gain = ATTENTION_SCORES
    elif "attention" in name:
        gain = ATTENTION_VALUES
    else:
        gain = FEED_FORWARD
    return gain / math.sqrt(shape[1])


def save(model, tokenizer, folder):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Moved into place in one step, so that a folder is either absent or complete.
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        parts, whole = f"{scratch}/parts", f"{scratch}/whole"
        model.save_pretrained(parts)
        tokenizer.save_pretrained(parts)
        transformer = Transformer(parts)
        pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")
        modules = [transformer, pooling, Normalize()]
        SentenceTransformer(modules=modules, device="cpu").save(whole, create_model_card=False)
        Path(whole).rename(folder)


def vectors(model_folder, texts, output):
    import torch
    from sentence_transformers import SentenceTransformer

    # Some weights are stored in half precision: the arithmetic is fp32 all the same.
    model = SentenceTransformer(str(model_folder), device="cpu", model_kwargs={"dtype": torch.float32})
    cases = []
    for text in json.loads(texts.read_text(encoding="utf-8")):
        # Alone, so that nothing is padded.
        vector = model.encode([text], normalize_embeddings=True, show_progress_bar=False)[0]
        token_ids = model.preprocess([text])["input_ids"][0].tolist()
        cases.append({"text": text, "token_ids": token_ids, "vector": [float(f"{value:.8g}") for value in vector]})
    made_with = "sentence-transformers, fp32 arithmetic, one text at a time"
    output.write_text(json.dumps({"made_with": made_with, "cases": cases}, ensure_ascii=False) + "\n", "utf-8")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("make")
    command.add_argument("output_folder", type=Path)
    command.add_argument("texts_file", type=Path)
    command.add_argument("--minilm", type=Path, default=REPOSITORY / "models/all-MiniLM-L6-v2")
    command.add_argument("--mpnet", type=Path, help="beside OUTPUT_FOLDER if not given, see fetch_mpnet.py")
    command = commands.add_parser("vectors")
    for name in ("model_folder", "texts", "output"):
        command.add_argument(name, type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    if given.command == "make":
        mpnet = given.mpnet or given.output_folder.resolve().parent / "all-mpnet-base-v2"
        make(given.output_folder, given.texts_file, {"minilm": given.minilm, "mpnet": mpnet})
    else:
        vectors(given.model_folder, given.texts, given.output)
