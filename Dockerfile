# ivit serve in a container: docs/packaging.md#a-container. Both stages have the same system, so that the native
# kernels find the C library that they were built with.
FROM maven:3.9-eclipse-temurin-25-noble AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends gcc libc6-dev \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /ivit
COPY . .
ARG PACKAGE_OPTIONS=""
RUN --mount=type=cache,target=/root/.m2 scripts/package $PACKAGE_OPTIONS /opt/ivit

FROM ubuntu:24.04
COPY --from=build /opt/ivit /opt/ivit
USER 10001:10001
WORKDIR /models
EXPOSE 8080
# The image has no HTTP client but bash.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /v2/health/ready HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["/opt/ivit/bin/ivit", "serve", "--host", "0.0.0.0", "--port", "8080"]
