# syntax=docker/dockerfile:1
# aiMindServe as a container. CPU:  docker build -t aimindserve .
#                             CUDA: docker build -t aimindserve:cuda --build-arg BASE=nvidia/cuda:12.9.1-base-ubuntu24.04 .
# The CUDA image gets the driver from the NVIDIA Container Toolkit; engines such as vLLM bring their CUDA libraries.
# Both bases are apt systems with Python >= 3.11.
ARG BASE=debian:12-slim

# ---- the page -------------------------------------------------------------------------------------------------------
FROM node:22-bookworm-slim AS page
WORKDIR /src/ui
COPY ui/package.json ui/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY ui ./
RUN npm run build -- --outDir /page --emptyOutDir

# ---- the environment: every package by its locked hash ---------------------------------------------------------------
FROM ${BASE} AS environment
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python3 -m venv /opt/aimindserve \
 && /opt/aimindserve/bin/pip install --no-cache-dir --no-compile --require-hashes -r requirements/runtime.txt \
 && python3 -m venv /tmp/build \
 && /tmp/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml hatch_build.py install.sh README.md LICENSE NOTICE ./
COPY scripts scripts
COPY ui/package-lock.json ui/
COPY src src
COPY --from=page /page src/aimindserve/ui_dist
RUN /tmp/build/bin/python -m hatchling build -t wheel -d /tmp/wheel \
 && /opt/aimindserve/bin/pip install --no-cache-dir --no-deps --no-index /tmp/wheel/*.whl \
 && /opt/aimindserve/bin/python -m pip uninstall -q -y pip setuptools \
 && /opt/aimindserve/bin/python -c "import aimindserve.server.app, aimindserve.gateway.app, aimindserve.cli.main, alembic.command"

# ---- what runs ------------------------------------------------------------------------------------------------------
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates libgomp1 python3 tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --uid 10001 --home-dir /var/lib/aimindserve --shell /usr/sbin/nologin aimindserve \
 && install -d -m 0700 -o aimindserve -g aimindserve /var/lib/aimindserve
COPY --from=environment /opt/aimindserve /opt/aimindserve
ENV PATH=/opt/aimindserve/bin:$PATH \
    AIMINDSERVE_DATA_DIR=/var/lib/aimindserve \
    AIMINDSERVE_PORT=8080 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
WORKDIR /var/lib/aimindserve
VOLUME /var/lib/aimindserve
EXPOSE 8080
# tini reaps the engines' shims; engines end with the container.
ENTRYPOINT ["/usr/bin/tini", "--", "aimindserve"]
CMD ["start"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
