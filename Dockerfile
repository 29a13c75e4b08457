# The same files, user and command as `make image` makes without an engine; a test compares the two.
#   docker build --platform linux/amd64,linux/arm64 --tag wicket .
# By its digest, so that nobody can put another compiler in its place; a new Go is a new line here.
FROM --platform=$BUILDPLATFORM golang:1.26.8@sha256:ec0383e177f24920f5498de7d96d1cd81ada095b430dda72f8b863b99a485ff6 AS build
ARG TARGETARCH
ARG VERSION=0.0.0
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go -C image run . -rootfs /rootfs -version "$VERSION" -architectures "$TARGETARCH"

FROM scratch
COPY --from=build /rootfs/ /
USER 65532:65532
ENV PATH=/usr/bin WICKET_LISTEN=:8080
WORKDIR /var/lib/wicket
VOLUME /var/lib/wicket
EXPOSE 8080
ARG VERSION=0.0.0
LABEL org.opencontainers.image.title="Wicket" \
      org.opencontainers.image.source="https://github.com/wicket-id/wicket" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
ENTRYPOINT ["/usr/bin/wicket"]
CMD ["serve"]
