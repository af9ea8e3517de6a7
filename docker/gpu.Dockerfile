# cosembed with TensorFlow's CUDA packages; the machine needs the card's driver and NVIDIA's container toolkit:
#   docker build --file docker/gpu.Dockerfile --tag cosembed:gpu .
#   docker run --gpus all --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" cosembed:gpu track --network=RUN \
#     --input=VIDEO --output=RES
FROM python:3.13-slim

WORKDIR /opt/cosembed
COPY constraints.txt pyproject.toml setup.py README.md LICENSE ./
COPY cosembed cosembed
COPY data_specs data_specs
RUN pip install --no-cache-dir --constraint constraints.txt '.[gpu]'

# Which parts of the driver the container sees.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# Any user may run it: caches of libraries go to a folder that all can write.
ENV HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /data
ENTRYPOINT ["cosembed"]
CMD ["--help"]
