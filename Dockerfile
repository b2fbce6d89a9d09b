# syntax=docker/dockerfile:1

FROM rust:1.95-bookworm AS build
WORKDIR /sentio
# First what changes rarely: the tools, ONNX Runtime and the model.
COPY Cargo.toml ./
COPY scripts scripts
RUN --mount=type=cache,target=/root/.cache/sentio/downloads scripts/setup.sh
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/target \
    CARGO_TARGET_DIR=/target mold -run cargo build --release --locked --bin sentio \
    && cp /target/release/sentio /usr/local/bin/sentio

FROM debian:bookworm-slim
# Group 0 may write the data, too: OpenShift runs any user, in that group.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin sentio \
    && install --directory --owner=10001 --group=root --mode=2770 /data
WORKDIR /sentio
COPY --from=build /sentio/lib lib
COPY --from=build /sentio/models models
COPY LICENSE ./
# Root certificates, for `sentio model pull`.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/bin/sentio /usr/local/bin/sentio
# Reachable from outside the container, so clients need a key of SENTIO_API_KEYS, unless SENTIO_ANONYMOUS says otherwise. Temporary files
# lie beside the data, so that the rest may be read-only (`docker run --read-only`).
ENV SENTIO_HOST=0.0.0.0 \
    SENTIO_DATA_DIR=/data \
    TMPDIR=/data \
    SQLITE_TMPDIR=/data \
    SENTIO_MODEL_DIR=/sentio/models \
    SENTIO_ORT_LIB=/sentio/lib/libonnxruntime.so
# A number, because Kubernetes looks no name up (`runAsNonRoot`).
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# The image has neither curl nor wget, but bash can open a connection.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/${SENTIO_PORT:-8000}\" && printf 'GET /readyz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [[ $status == 200 ]]"]
ENTRYPOINT ["sentio"]
CMD ["serve"]
