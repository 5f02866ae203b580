# syntax=docker/dockerfile:1
# Two stages: the first installs what requirements-runtime.lock pins, every file checked against its hash, and builds the
# program; the second takes the result and has neither pip's cache nor build tools.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
RUN python -m venv /opt/streamguard
COPY requirements-runtime.lock requirements.lock ./
RUN /opt/streamguard/bin/python -m pip install --require-hashes -r requirements-runtime.lock
# setuptools alone out of the lock of the development environment, with its hashes: it builds, and stays in this stage.
RUN sed -n '/^setuptools==/,/# via/p' requirements.lock > build.lock \
    && python -m pip install --require-hashes -r build.lock
COPY pyproject.toml README.md LICENSE ./
COPY core core
COPY ksqldb ksqldb
COPY schema schema
COPY tui tui
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/streamguard/bin/python -m pip install --no-deps --no-index dist/*.whl \
    && /opt/streamguard/bin/python -m compileall -q /opt/streamguard

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --home-dir /data --shell /usr/sbin/nologin streamguard \
    && install -d -o streamguard -g streamguard -m 0700 /data
COPY --from=build /opt/streamguard /opt/streamguard
# The root file system may be read-only: only /data (a volume) and /tmp are written to.
ENV PATH=/opt/streamguard/bin:$PATH HOME=/data STREAMGUARD_HOME=/data \
    LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 9100
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9100/readyz', timeout=3)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["streamguard"]
CMD ["workers", "--http", "0.0.0.0:9100"]
