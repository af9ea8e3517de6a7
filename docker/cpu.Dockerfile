# cosembed with its tested requirements, for machines without a GPU:
#   docker build --file docker/cpu.Dockerfile --tag cosembed:cpu .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" cosembed:cpu track --network=RUN --input=VIDEO --output=RES
FROM python:3.13-slim

WORKDIR /opt/cosembed
COPY constraints.txt pyproject.toml setup.py README.md LICENSE ./
COPY cosembed cosembed
COPY data_specs data_specs
RUN pip install --no-cache-dir --constraint constraints.txt .

# Any user may run it: caches of libraries go to a folder that all can write.
ENV HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /data
ENTRYPOINT ["cosembed"]
CMD ["--help"]
