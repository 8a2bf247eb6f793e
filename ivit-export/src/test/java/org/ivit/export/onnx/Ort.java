package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Map;

/** A model under ONNX Runtime. */
final class Ort implements AutoCloseable {
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  private final OrtSession session;
  private final int image;

  Ort(ModelProto model, int image) throws OrtException {
    this(model.toByteArray(), image, 2);
  }

  Ort(byte[] model, int image, int threads) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      this.session = ENVIRONMENT.createSession(model, options);
    }
    this.image = image;
  }

  /** Logits of normalised pixels, [pictures][3][image][image]. */
  float[] logits(float[] pixels, int pictures) throws OrtException {
    long[] shape = {pictures, 3, image, image};
    try (OnnxTensor input = OnnxTensor.createTensor(ENVIRONMENT, FloatBuffer.wrap(pixels), shape);
        OrtSession.Result result = session.run(Map.of(FloatGraph.PIXELS, input))) {
      FloatBuffer values = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] logits = new float[values.remaining()];
      values.get(logits);
      return logits;
    }
  }

  /** Logits of 8-bit pixels, [pictures][3][image][image]. */
  int[] logits(byte[] pixels, int pictures) throws OrtException {
    long[] shape = {pictures, 3, image, image};
    ByteBuffer buffer = ByteBuffer.allocateDirect(pixels.length).put(0, pixels);
    try (OnnxTensor input =
            OnnxTensor.createTensor(ENVIRONMENT, buffer, shape, OnnxJavaType.UINT8);
        OrtSession.Result result = session.run(Map.of(FloatGraph.PIXELS, input))) {
      var values = ((OnnxTensor) result.get(0)).getIntBuffer();
      int[] logits = new int[values.remaining()];
      values.get(logits);
      return logits;
    }
  }

  OrtSession session() {
    return session;
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
