package org.ivit.serve.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.ivit.serve.model.Answer;
import org.ivit.serve.model.ModelDescription;

/**
 * The answer to a request.
 *
 * @param bytes JSON, with tensors behind it where some were asked for so
 * @param header length of the JSON; -1 where all is JSON
 */
public record InferAnswer(byte[] bytes, int header) {
  private static final JsonFactory JSON = new JsonFactory();

  /**
   * Writes an answer.
   *
   * @param name by which the model is served
   * @param answers to the pictures of the request
   */
  public static InferAnswer of(
      String name, ModelDescription model, InferRequest request, List<Answer> answers) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    List<byte[]> behind = new ArrayList<>();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField("model_name", name);
      json.writeStringField("model_version", Metadata.VERSION);
      if (request.id() != null) {
        json.writeStringField("id", request.id());
      }
      json.writeArrayFieldStart("outputs");
      for (InferRequest.Output output : request.outputs()) {
        output(json, model, output, answers, behind);
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    int header = behind.isEmpty() ? -1 : out.size();
    behind.forEach(out::writeBytes);
    return new InferAnswer(out.toByteArray(), header);
  }

  private static void output(
      JsonGenerator json,
      ModelDescription model,
      InferRequest.Output output,
      List<Answer> answers,
      List<byte[]> behind)
      throws IOException {
    Column column = Column.of(model, output, answers);
    json.writeStartObject();
    json.writeStringField("name", output.spec().name());
    json.writeStringField("datatype", column.type().name());
    json.writeArrayFieldStart("shape");
    json.writeNumber(answers.size());
    json.writeNumber(column.width());
    json.writeEndArray();
    if (output.binary()) {
      byte[] bytes = column.bytes();
      json.writeObjectFieldStart("parameters");
      json.writeNumberField(Parameters.BINARY_SIZE, bytes.length);
      json.writeEndObject();
      behind.add(bytes);
    } else {
      json.writeArrayFieldStart("data");
      column.write(json);
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  /** An output of all pictures: rows of int[], float[] or String[]. */
  private record Column(DataType type, int width, List<Object> rows) {
    static Column of(ModelDescription model, InferRequest.Output output, List<Answer> answers) {
      if (output.classes() > 0) {
        int k = Math.min(output.classes(), model.outputs());
        return new Column(
            DataType.BYTES,
            k,
            answers.stream().map(a -> (Object) classes(model, output.spec(), a, k)).toList());
      }
      return new Column(
          output.spec().type(),
          model.outputs(),
          answers.stream().map(a -> row(output.spec(), a)).toList());
    }

    private static Object row(TensorSpec spec, Answer answer) {
      if (spec.type() == DataType.INT32) {
        return answer.codes();
      }
      return spec.name().equals(TensorSpec.PROBABILITIES)
          ? floats(answer.probabilities())
          : answer.reals();
    }

    private static float[] floats(double[] values) {
      float[] floats = new float[values.length];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) values[i];
      }
      return floats;
    }

    /** The best classes as {@code VALUE:INDEX:NAME}. */
    private static String[] classes(ModelDescription model, TensorSpec spec, Answer answer, int k) {
      Object row = row(spec, answer);
      int[] top = answer.top(k);
      String[] texts = new String[top.length];
      for (int i = 0; i < top.length; i++) {
        String value =
            row instanceof int[] codes
                ? Integer.toString(codes[top[i]])
                : Float.toString(((float[]) row)[top[i]]);
        texts[i] = value + ":" + top[i] + ":" + model.classes().get(top[i]).name();
      }
      return texts;
    }

    void write(JsonGenerator json) throws IOException {
      for (Object row : rows) {
        if (row instanceof int[] codes) {
          for (int code : codes) {
            json.writeNumber(code);
          }
        } else if (row instanceof float[] values) {
          for (float value : values) {
            json.writeNumber(value);
          }
        } else {
          for (String text : (String[]) row) {
            json.writeString(text);
          }
        }
      }
    }

    byte[] bytes() {
      if (type == DataType.BYTES) {
        return strings();
      }
      ByteBuffer out =
          ByteBuffer.allocate(Integer.BYTES * width * rows.size()).order(ByteOrder.LITTLE_ENDIAN);
      for (Object row : rows) {
        if (row instanceof int[] codes) {
          out.asIntBuffer().put(codes);
        } else {
          out.asFloatBuffer().put((float[]) row);
        }
        out.position(out.position() + Integer.BYTES * width);
      }
      return out.array();
    }

    private byte[] strings() {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      for (Object row : rows) {
        for (String text : (String[]) row) {
          byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
          out.writeBytes(
              ByteBuffer.allocate(Integer.BYTES)
                  .order(ByteOrder.LITTLE_ENDIAN)
                  .putInt(bytes.length)
                  .array());
          out.writeBytes(bytes);
        }
      }
      return out.toByteArray();
    }
  }
}
