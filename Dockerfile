# syntax=docker/dockerfile:1

# --- Build ------------------------------------------------------------------
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /build

# jemalloc is built with make; `./build` runs the other programs. The versions are those
# of the pinned image's distribution.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl make nginx-light openssl redis-server \
    && rm -rf /var/lib/apt/lists/* \
    && rustup component add llvm-tools

# rust-toolchain.toml is not copied: it requests components that the image lacks and the
# build does not need.
COPY Cargo.toml Cargo.lock build.rs build ./
COPY .ci .ci
COPY bench/typical-load bench/typical-load
COPY src src
# `customer-gateway --version` names the commit; only the version without it.
ARG REVISION=unknown
RUN program=$(GATEWAY_COMMIT="${REVISION}" ./build) && cp "${program}" .

# --- Run --------------------------------------------------------------------
# Debian 12's C library and CA certificates, without a shell or a package manager.
# Runs as user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot

# The source repository and the commit, set at build time.
ARG SOURCE=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="customer-gateway" \
      org.opencontainers.image.description="One HTTP API for customers held by several vendors." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"

# The licences must accompany the binary.
COPY LICENSE NOTICE /usr/share/doc/customer-gateway/
COPY --from=build /build/customer-gateway /usr/local/bin/customer-gateway

ENV GATEWAY_CONFIG=/etc/customer-gateway/gateway.toml \
    GATEWAY_LOG_FORMAT=json

# The configuration must set `listen` to 0.0.0.0:8080 to be reachable from outside
# the container, and therefore requires callers (docs/CONFIGURATION.md).
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/customer-gateway", "healthcheck", "--url", "http://127.0.0.1:8080/readyz"]

# As process 1, the gateway handles SIGTERM and SIGINT itself (src/cli/serve.rs)
# and starts no other process, so no init is needed.
ENTRYPOINT ["/usr/local/bin/customer-gateway"]
CMD ["serve"]
