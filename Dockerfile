# artgen in a container, from the wheel, with the build of torch for the CPU:
#   make wheel && docker build -t artgen .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" artgen fit photo.jpg
# The image contains PyAV, whose wheel bundles FFmpeg with x264: it is under the GPL, see NOTICE.
FROM python:3.11-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY dist/artgen-*.whl constraints.txt /tmp/artgen/
RUN pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" -c /tmp/artgen/constraints.txt /tmp/artgen/artgen-*.whl \
    && rm -r /tmp/artgen && artgen doctor
# Any user may run it: compiled kernels go to a folder that is theirs.
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["artgen"]
CMD ["--help"]
