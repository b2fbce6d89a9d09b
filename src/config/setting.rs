//! The list of settings: name, flag, default and help in one place.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name in the environment and in `.env`.
    pub name: &'static str,
    /// The command-line flag, without the dashes.
    pub flag: &'static str,
    /// The text that stands for the value in `--help`.
    pub value_name: &'static str,
    /// The value when nothing is set; empty for none, or for one that follows from other settings.
    pub default: &'static str,
    /// What it does, for `--help` and the documentation.
    pub help: &'static str,
    /// Whether its value is never shown.
    pub secret: bool,
}

impl Setting {
    /// Whether any text is a value, also one of blanks.
    pub(super) fn takes_any_text(&self) -> bool {
        self.value_name == "TEXT"
    }

    /// Whether the value, or a part of it, must not be shown.
    pub(super) fn holds_a_secret(&self) -> bool {
        SECRET_FILES.iter().any(|(name, _)| *name == self.name)
    }

    /// Whether the value names a file or a folder.
    pub(super) fn is_path(&self) -> bool {
        self.value_name.contains("FILE") || self.value_name.contains("FOLDER") || self.value_name == "URI"
    }
}

/// Settings whose value may stand in a file, as containers are given secrets, and the settings that name the file.
pub(super) const SECRET_FILES: [(&str, &str); 3] = [
    ("DATABASE_URL", "DATABASE_URL_FILE"),
    ("SENTIO_API_KEYS", "SENTIO_API_KEYS_FILE"),
    ("HF_TOKEN", "HF_TOKEN_FILE"),
];

const fn setting(
    name: &'static str,
    flag: &'static str,
    value_name: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { name, flag, value_name, default, help, secret: false }
}

/// Every setting, in the order they are shown.
pub const SETTINGS: &[Setting] = &[
    setting("SENTIO_DATA_DIR", "data-dir", "FOLDER", "data", "Folder for the SQLite database and the index"),
    setting(
        "DATABASE_URL",
        "database-url",
        "URL",
        "",
        "SQL database, sqlite://FILE or postgres://… [default: sqlite://<data-dir>/sentio.db]",
    ),
    setting("DATABASE_URL_FILE", "database-url-file", "FILE", "", "File that holds the database's URL"),
    setting(
        "SENTIO_INDEX_URI",
        "index-uri",
        "URI",
        "",
        "Where the vector index lies [default: <data-dir>/lancedb_store]",
    ),
    setting(
        "SENTIO_HOST",
        "host",
        "ADDRESS",
        "127.0.0.1",
        "Address to listen on; beyond loopback, reading and writing need a key (SENTIO_ANONYMOUS)",
    ),
    setting("SENTIO_PORT", "port", "PORT", "8000", "Port to listen on; 0 takes any free one"),
    setting(
        "SENTIO_KEEP_ALIVE",
        "keep-alive",
        "SECONDS",
        "75",
        "How long a connection is kept between two requests; longer than a load balancer keeps it",
    ),
    setting(
        "SENTIO_SHUTDOWN_DELAY",
        "shutdown-delay",
        "SECONDS",
        "0",
        "How long to go on serving after SIGTERM, while /readyz answers 503",
    ),
    setting(
        "SENTIO_MODEL",
        "model",
        "NAME|FOLDER",
        "all-MiniLM-L6-v2",
        "Embedding model: a name under the model folder, or the path of a sentence-transformers folder",
    ),
    setting("SENTIO_MODEL_DIR", "model-dir", "FOLDER", "models", "Folder of the models"),
    setting(
        "SENTIO_PRECISION",
        "precision",
        "auto|int8|fp32",
        "auto",
        "Arithmetic of the model; auto is int8 where the processor is fast at it and the model bears it",
    ),
    setting(
        "SENTIO_ACCELERATOR",
        "accelerator",
        "none|cuda|openvino|coreml|directml",
        "none",
        "Device that runs the model in fp32; the program must be built with the feature of that name",
    ),
    setting(
        "SENTIO_EMBED_THREADS",
        "embed-threads",
        "NUMBER",
        "",
        "Threads that compute vectors [default: the number of cores]",
    ),
    setting(
        "SENTIO_QUERY_PROMPT",
        "query-prompt",
        "TEXT",
        "",
        "Text put in front of queries [default: the model's own]",
    ),
    setting(
        "SENTIO_PASSAGE_PROMPT",
        "passage-prompt",
        "TEXT",
        "",
        "Text put in front of passages [default: the model's own]",
    ),
    setting(
        "SENTIO_QUERY_CACHE",
        "query-cache",
        "MEBIBYTES",
        "16",
        "Memory for the vectors of recent queries; 0 remembers none",
    ),
    setting(
        "SENTIO_ORT_LIB",
        "ort-lib",
        "FILE",
        "",
        "ONNX Runtime's shared library [default: lib/libonnxruntime.so, installed by `make setup`]",
    ),
    setting(
        "SENTIO_INDEX_WAIT",
        "index-wait",
        "SECONDS",
        "10",
        "How long a mutation waits until its change is searchable",
    ),
    setting(
        "SENTIO_INDEX_POLL",
        "index-poll",
        "SECONDS",
        "0.25",
        "How often to look whether another program has changed articles; PostgreSQL tells by itself",
    ),
    setting(
        "SENTIO_INDEX_CACHE",
        "index-cache",
        "MEBIBYTES",
        "96",
        "Memory for what is read again and again of the index's tables",
    ),
    setting(
        "SENTIO_SEARCH_BACKEND",
        "search-backend",
        "auto|memory|disk",
        "auto",
        "Where what searches read is kept: memory; disk, in files that are mapped; auto, memory as far as SENTIO_SEARCH_MEMORY goes, \
         then disk",
    ),
    setting(
        "SENTIO_SEARCH_MEMORY",
        "search-memory",
        "MEBIBYTES",
        "",
        "Memory that searches may take with SENTIO_SEARCH_BACKEND=auto [default: half of the machine's or the container's]",
    ),
    setting(
        "SENTIO_PASSAGES_MAX",
        "passages-max",
        "NUMBER",
        "1000",
        "Most passages of an article that are indexed; of a longer one they are taken evenly",
    ),
    setting(
        "SENTIO_TEXT_LANGUAGE",
        "text-language",
        "auto|none|LANGUAGE",
        "auto",
        "Language of the articles, whose endings and stop words matter little to searches; auto: that of each article",
    ),
    Setting {
        secret: true,
        ..setting(
            "SENTIO_API_KEYS",
            "api-keys",
            "KEY,…",
            "",
            "Keys that may read and write, sent as `Authorization: Bearer KEY`; when set, every write needs one",
        )
    },
    setting("SENTIO_API_KEYS_FILE", "api-keys-file", "FILE", "", "File that holds the keys, one a line"),
    setting(
        "SENTIO_ANONYMOUS",
        "anonymous",
        "all|read|none",
        "",
        "What is open without a key [default: all on loopback, read there with keys set, none beyond loopback]",
    ),
    setting(
        "SENTIO_TRUSTED_PROXIES",
        "trusted-proxies",
        "ADDRESS|BLOCK,…",
        "",
        "Proxies whose requests have the rights of loopback: name only those that let nobody else in",
    ),
    setting(
        "SENTIO_ALLOWED_HOSTS",
        "allowed-hosts",
        "HOST,…",
        "",
        "Further names in the `Host` header: example.org, example.org:8443, *.example.org, .example.org",
    ),
    setting(
        "SENTIO_ALLOWED_ORIGINS",
        "allowed-origins",
        "ORIGIN,…",
        "",
        "Web origins that may call the API from a browser (https://*.example.org for one label); on loopback, loopback origins always may",
    ),
    setting(
        "SENTIO_BODY_MAX",
        "body-max",
        "MEBIBYTES",
        "8",
        "Most that a request's body, or a message on a WebSocket, may have",
    ),
    setting(
        "SENTIO_RESPONSE_MAX",
        "response-max",
        "MEBIBYTES",
        "32",
        "Most JSON that the response to one operation, or one event of a subscription, may have",
    ),
    setting(
        "SENTIO_RESPONSES_MEMORY",
        "responses-memory",
        "MEBIBYTES",
        "512",
        "Memory for all responses that are being made and sent; beyond it requests are refused as OVERLOADED",
    ),
    setting(
        "SENTIO_TRUSTED_DOCUMENTS",
        "trusted-documents",
        "FILE",
        "",
        "Manifest of the documents a front end was built with; they are executed by their ids",
    ),
    setting(
        "SENTIO_TRUSTED_DOCUMENTS_ONLY",
        "trusted-documents-only",
        "true|false",
        "false",
        "Whether to execute no other documents than those of the manifest",
    ),
    setting(
        "HF_ENDPOINT",
        "hf-endpoint",
        "URL",
        "https://huggingface.co",
        "Where `model pull` fetches from: the Hugging Face Hub, or a mirror of it",
    ),
    Setting {
        secret: true,
        ..setting("HF_TOKEN", "hf-token", "TOKEN", "", "Token for private and gated repositories of the Hub")
    },
    setting("HF_TOKEN_FILE", "hf-token-file", "FILE", "", "File that holds the token"),
    setting("HF_HUB_OFFLINE", "hf-hub-offline", "0|1", "0", "1: `model pull` asks nothing of the network"),
    setting("SENTIO_LOG", "log", "FILTER", "info", "What to log: a level, or `target=level,…`"),
    setting("SENTIO_LOG_FORMAT", "log-format", "text|json", "text", "How to log"),
];
