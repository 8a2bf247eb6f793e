package org.ivit.serve.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.Size;
import org.ivit.serve.model.ModelDescription;

/** Reads a request: JSON, and binary tensors behind it. */
public final class InferRequestReader {
  /** Strings hold pictures; the whole request has its own limit. */
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private final ModelDescription model;
  private final int mostPictures;
  private final long mostPixels;
  private final byte[] body;
  private final int length;
  private final int header;
  private String id;
  private Pictures pictures;
  private List<Asked> asked = List.of();
  private boolean binaryOutput;

  /** An output as the request has it. */
  private record Asked(String name, Parameters parameters) {}

  /** An input as far as it has been read. */
  private static final class Tensor {
    private String name = "";
    private String type = "none";
    private long[] shape;
    private Parameters parameters = new Parameters();
    private long dataAt = -1;
  }

  private InferRequestReader(
      ModelDescription model,
      int mostPictures,
      long mostPixels,
      byte[] body,
      int length,
      int header) {
    this.model = model;
    this.mostPictures = mostPictures;
    this.mostPixels = mostPixels;
    this.body = body;
    this.length = length;
    this.header = header;
  }

  /**
   * Reads a request.
   *
   * @param mostPictures that it may have
   * @param mostPixels width times height that a picture may have
   * @param body the request and, where the array is longer, what is none of it; pixels behind the
   *     JSON are not copied
   * @param length of the request
   * @param header length of the JSON, behind which tensors follow; -1 where all is JSON
   * @throws InputException if it is none, or asks for what the model does not have
   */
  public static InferRequest read(
      ModelDescription model,
      int mostPictures,
      long mostPixels,
      byte[] body,
      int length,
      int header) {
    if (header > length) {
      throw new InputException(
          "Inference-Header-Content-Length: found %d, expected at most the %d bytes of the request"
              .formatted(header, length));
    }
    return new InferRequestReader(
            model, mostPictures, mostPixels, body, length, header < 0 ? length : header)
        .read();
  }

  private InferRequest read() {
    try (JsonParser parser = JSON.createParser(body, 0, header)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new InputException("request: expected a JSON object");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "id" -> id = text(parser, "id");
          case "parameters" ->
              binaryOutput = Parameters.read(parser).flag(Parameters.BINARY_OUTPUT, false);
          case "inputs" -> inputs(parser);
          case "outputs" -> outputs(parser);
          default -> parser.skipChildren();
        }
      }
      if (parser.nextToken() != null) {
        throw new InputException("request: found something behind the JSON object");
      }
    } catch (JsonProcessingException e) {
      throw new InputException("request: no usable JSON: " + MessageText.problem(e), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (pictures == null) {
      throw new InputException("inputs: found none, expected one of " + named(inputs()));
    }
    return new InferRequest(id, pictures, wanted());
  }

  private List<TensorSpec> inputs() {
    return TensorSpec.inputs(model);
  }

  private static String named(List<TensorSpec> specs) {
    return specs.stream()
        .map(spec -> spec.name() + " (" + spec.type() + ")")
        .collect(Collectors.joining(", "));
  }

  private void inputs(JsonParser parser) throws IOException {
    array(parser, "inputs");
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (pictures != null) {
        throw new InputException("inputs: found several, expected one of " + named(inputs()));
      }
      pictures = input(parser);
    }
  }

  private Pictures input(JsonParser parser) throws IOException {
    object(parser, "inputs");
    Tensor tensor = new Tensor();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      parser.nextToken();
      switch (key) {
        case "name" -> tensor.name = text(parser, "name");
        case "datatype" -> tensor.type = text(parser, "datatype");
        case "shape" -> tensor.shape = shape(parser);
        case "parameters" -> tensor.parameters = Parameters.read(parser);
        case "data" -> {
          array(parser, "data");
          // Type and shape may come behind it: it is read when all is known.
          tensor.dataAt = parser.currentTokenLocation().getByteOffset();
          parser.skipChildren();
        }
        default -> parser.skipChildren();
      }
    }
    return pictures(tensor);
  }

  private Pictures pictures(Tensor tensor) throws IOException {
    TensorSpec spec =
        inputs().stream()
            .filter(known -> known.name().equals(tensor.name))
            .findFirst()
            .orElseThrow(
                () ->
                    new InputException(
                        "input %s: expected one of %s"
                            .formatted(MessageText.quote(tensor.name), named(inputs()))));
    if (!tensor.type.equals(spec.type().name())) {
      throw new InputException(
          "%s: found datatype %s, expected %s"
              .formatted(spec.name(), MessageText.quote(tensor.type), spec.type()));
    }
    int count = elements(spec, tensor.shape);
    Object data = data(tensor, new TensorData(spec.name(), spec.type(), count));
    int n = (int) tensor.shape[0];
    return switch (spec.type()) {
      case UINT8 ->
          pixels(
              n,
              new Size((int) tensor.shape[1], (int) tensor.shape[2]),
              (TensorData.Bytes) data,
              tensor.parameters.flag(Parameters.TRANSFORMED, false));
      case FP32 -> new Pictures.Normalised(n, (float[]) data);
      default -> encoded(data);
    };
  }

  private static Pictures pixels(int n, Size size, TensorData.Bytes data, boolean transformed) {
    return new Pictures.Pixels(n, size, data.array(), data.from(), transformed);
  }

  @SuppressWarnings("unchecked")
  private static Pictures encoded(Object strings) {
    return new Pictures.Encoded((List<byte[]>) strings);
  }

  /** Checks a shape, and tells the number of its elements. */
  private int elements(TensorSpec spec, long[] shape) {
    List<Integer> expected = spec.shape();
    // Batches of strings may have a second size of 1, as Triton's have.
    boolean column =
        spec.type() == DataType.BYTES && shape != null && shape.length == 2 && shape[1] == 1;
    boolean fits = shape != null && (column || shape.length == expected.size());
    for (int i = 0; fits && !column && i < shape.length; i++) {
      fits = expected.get(i) < 0 || expected.get(i) == shape[i];
    }
    if (!fits) {
      throw new InputException(
          "%s: found shape %s, expected %s"
              .formatted(spec.name(), shape == null ? "none" : Arrays.toString(shape), expected));
    }
    if (shape[0] > mostPictures) {
      throw new InputException(
          "%s: found %d pictures, expected at most %d"
              .formatted(spec.name(), shape[0], mostPictures));
    }
    if (spec.type() == DataType.UINT8 && shape[1] * shape[2] > mostPixels) {
      throw new InputException(
          "%s: found pictures of %dx%d pixels, expected at most %d in all"
              .formatted(spec.name(), shape[2], shape[1], mostPixels));
    }
    long count = 1;
    for (long size : shape) {
      count *= size;
    }
    if (count > length) {
      throw new InputException(
          "%s: found shape %s, whose elements are more than the %d bytes of the request"
              .formatted(spec.name(), Arrays.toString(shape), length));
    }
    return (int) count;
  }

  private Object data(Tensor tensor, TensorData elements) throws IOException {
    int binary = tensor.parameters.number(Parameters.BINARY_SIZE);
    if (binary >= 0) {
      if (tensor.dataAt >= 0) {
        throw new InputException(tensor.name + ": found data and binary_data_size, expected one");
      }
      if (binary != length - header) {
        throw new InputException(
            "%s: binary_data_size: found %d, expected the %d bytes behind the JSON"
                .formatted(tensor.name, binary, length - header));
      }
      return elements.binary(body, header, binary);
    }
    if (tensor.dataAt < 0) {
      throw new InputException(tensor.name + ": found no data");
    }
    int at = (int) tensor.dataAt;
    try (JsonParser parser = JSON.createParser(body, at, header - at)) {
      parser.nextToken();
      return elements.json(parser);
    }
  }

  private static long[] shape(JsonParser parser) throws IOException {
    array(parser, "shape");
    List<Long> sizes = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
          || parser.getNumberType() != JsonParser.NumberType.INT
          || parser.getIntValue() < 1
          || sizes.size() == 4) {
        throw new InputException("shape: expected at most 4 numbers from 1");
      }
      sizes.add(parser.getLongValue());
    }
    return sizes.stream().mapToLong(Long::longValue).toArray();
  }

  private void outputs(JsonParser parser) throws IOException {
    array(parser, "outputs");
    asked = new ArrayList<>();
    int known = TensorSpec.outputs(model).size();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      object(parser, "outputs");
      if (asked.size() == known) {
        throw new InputException("outputs: found more than the model's " + known);
      }
      String name = "";
      Parameters parameters = new Parameters();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "name" -> name = text(parser, "name");
          case "parameters" -> parameters = Parameters.read(parser);
          default -> parser.skipChildren();
        }
      }
      asked.add(new Asked(name, parameters));
    }
  }

  private List<InferRequest.Output> wanted() {
    List<TensorSpec> known = TensorSpec.outputs(model);
    if (asked.isEmpty()) {
      return known.stream().map(spec -> new InferRequest.Output(spec, 0, binaryOutput)).toList();
    }
    return asked.stream().map(output -> wanted(output, known)).toList();
  }

  private InferRequest.Output wanted(Asked output, List<TensorSpec> known) {
    TensorSpec spec =
        known.stream()
            .filter(s -> s.name().equals(output.name()))
            .findFirst()
            .orElseThrow(
                () ->
                    new InputException(
                        "output %s: expected one of %s"
                            .formatted(MessageText.quote(output.name()), named(known))));
    int classes = Math.max(0, output.parameters().number(Parameters.CLASSIFICATION));
    if (classes > 0 && !model.classifies()) {
      throw new InputException("parameter classification: the model answers with features");
    }
    return new InferRequest.Output(
        spec, classes, output.parameters().flag(Parameters.BINARY, binaryOutput));
  }

  private static String text(JsonParser parser, String key) throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_STRING) {
      throw new InputException(key + ": expected a string");
    }
    return parser.getText();
  }

  private static void array(JsonParser parser, String key) {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw new InputException(key + ": expected an array");
    }
  }

  private static void object(JsonParser parser, String key) {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new InputException(key + ": expected objects");
    }
  }
}
