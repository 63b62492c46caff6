# The service and its command line. `docker compose build`, or: docker build -t songtien:local .

# --- The pages.
FROM node:22.21.1-bookworm-slim AS pages
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/build.mjs web/tsconfig.json ./
COPY web/src src
# Into /src/api/pages.
RUN npm run build

# --- The program in a virtual environment of its own, each package with its hash.
FROM python:3.11.14-slim-bookworm AS program
WORKDIR /src
RUN python -m venv /opt/songtien
COPY requirements.lock ./
# Nothing is compiled, so nothing here could.
RUN /opt/songtien/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE mosquitto.conf ./
COPY mosquitto/common mosquitto/common
COPY ingest ingest
COPY alerts alerts
COPY api api
COPY simulators simulators
COPY songtien songtien
COPY --from=pages /src/api/pages api/pages
# What has built the package stays behind with pip: it is no part of what runs.
RUN /opt/songtien/bin/pip install --no-cache-dir --disable-pip-version-check \
        --no-deps --no-build-isolation . \
    && /opt/songtien/bin/pip uninstall --yes editables hatchling pathspec pluggy tomlkit \
        trove-classifiers setuptools \
    && /opt/songtien/bin/songtien --version \
    && /opt/songtien/bin/pip uninstall --yes pip

# --- What runs.
FROM python:3.11.14-slim-bookworm
RUN pip uninstall --yes --root-user-action=ignore setuptools wheel pip \
    && groupadd --gid 10001 songtien \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin songtien \
    && install -d -o songtien -g songtien -m 0700 /var/lib/songtien \
    && install -d /etc/songtien
COPY --from=program /opt/songtien /opt/songtien
# The data directory is a volume of docker-compose.yml; the file system may be read-only.
ENV PATH=/opt/songtien/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SONGTIEN_DATA__DIR=/var/lib/songtien
USER 10001:10001
WORKDIR /var/lib/songtien
EXPOSE 8080 8081
# Alive, not ready: a broker that is away is no fault of this container.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["songtien"]
CMD ["serve"]
