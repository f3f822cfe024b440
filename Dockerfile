# syntax=docker/dockerfile:1

# --- Build ------------------------------------------------------------------
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /build

# Dependencies first, with a stub for the gateway's own code: this layer is
# built again only when the manifests change. rust-toolchain.toml stays outside,
# since it asks for components that the image lacks and a build does not need.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && touch src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked

# The copied files are older than the stub's build: touched, they are built.
COPY src src
RUN touch src/lib.rs src/main.rs \
    && cargo build --release --locked

# --- Run --------------------------------------------------------------------
# Debian 12's C library and CA certificates; no shell, no package manager; runs
# as user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot

# Where the code is and which commit this is: only who builds knows.
ARG SOURCE=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="customer-gateway" \
      org.opencontainers.image.description="One HTTP endpoint for customers, whichever vendor holds them." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"

# The licences ask to go where the binary goes.
COPY LICENSE NOTICE /usr/share/doc/customer-gateway/
COPY --from=build /build/target/release/customer-gateway /usr/local/bin/customer-gateway

ENV GATEWAY_CONFIG=/etc/customer-gateway/gateway.toml \
    GATEWAY_LOG_FORMAT=json

# The configuration must listen on 0.0.0.0:8080 to be reached from outside the
# container, and therefore needs callers (docs/CONFIGURATION.md).
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/customer-gateway", "healthcheck", "--url", "http://127.0.0.1:8080/readyz"]

# As process 1 it handles SIGTERM and SIGINT itself (src/cli/serve.rs), and it
# starts no other process: no init is needed.
ENTRYPOINT ["/usr/local/bin/customer-gateway"]
CMD ["serve"]
