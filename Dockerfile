# HMAC File Server in a container. Debian's slim image: the native part of uWebSockets.js needs glibc.
#
#   docker build -t hmac-file-server .
#   docker run -p 8080:8080 -v hmac-files:/data -e HMAC_FILE_SERVER_SECRET_FILE=/run/secrets/hmac hmac-file-server
#
# The variables below beat the configuration file; everything else can be mounted as /app/config.toml.

FROM node:20-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY bench bench
COPY src src
RUN npm run -s build && npm prune --omit=dev

FROM node:20-bookworm-slim
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json config.toml LICENSE README.md ./
COPY src/main/status/page src/main/status/page
RUN mkdir --mode=0750 /data && chown node:node /data

ENV NODE_ENV=production \
    MALLOC_TRIM_THRESHOLD_=1048576 \
    HMAC_FILE_SERVER_LISTENPORT=:8080 \
    HMAC_FILE_SERVER_STOREDIR=/data/files \
    HMAC_FILE_SERVER_METRICSENABLED=true \
    HMAC_FILE_SERVER_METRICSPORT=127.0.0.1:9090

USER node
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:9090/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=2", "--no-node-snapshot", "/app/dist/src/main/entry.cjs"]
CMD ["serve", "--config", "/app/config.toml"]
