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
import org.ivit.core.Size;

/** A model under ONNX Runtime. */
final class Ort implements AutoCloseable {
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  private final OrtSession session;
  private final Size image;

  Ort(ModelProto model, Size image) throws OrtException {
    this(model.toByteArray(), image, 2);
  }

  Ort(byte[] model, Size image, int threads) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      this.session = ENVIRONMENT.createSession(model, options);
    }
    this.image = image;
  }

  /** The answer to normalised pixels, [pictures][3][height][width]. */
  float[] logits(float[] pixels, int pictures) throws OrtException {
    long[] shape = {pictures, 3, image.height(), image.width()};
    try (OnnxTensor input = OnnxTensor.createTensor(ENVIRONMENT, FloatBuffer.wrap(pixels), shape);
        OrtSession.Result result = session.run(Map.of(FloatGraph.PIXELS, input))) {
      FloatBuffer values = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] logits = new float[values.remaining()];
      values.get(logits);
      return logits;
    }
  }

  /** The answer to 8-bit pixels, [pictures][3][height][width]. */
  int[] logits(byte[] pixels, int pictures) throws OrtException {
    long[] shape = {pictures, 3, image.height(), image.width()};
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
