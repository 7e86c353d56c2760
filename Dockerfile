# persrv as a service: docker compose up -d, see docs/how-to/docker.md.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY persrv persrv
COPY collections collections
COPY loaders loaders
RUN python -m venv /opt/persrv && /opt/persrv/bin/pip install --no-cache-dir ".[serve,postgres]"

FROM python:3.12-slim
# A number, so that the machine can tell that it is not root.
RUN useradd --system --uid 10001 --create-home --home-dir /data persrv
COPY --from=build /opt/persrv /opt/persrv
COPY docker /opt/persrv/share
COPY collections/emoji /opt/persrv/share/emoji
ENV PATH=/opt/persrv/bin:$PATH PERSRV_HOME=/data PERSRV_RECIPE=/opt/persrv/share/emoji.toml PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s --retries=6 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=3)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/bin/sh", "/opt/persrv/share/start.sh"]
