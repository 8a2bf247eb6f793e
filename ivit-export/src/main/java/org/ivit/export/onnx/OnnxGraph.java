package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.ivit.core.InputException;

/**
 * An ONNX graph while it is written: constants, then nodes in order of execution. Values are known
 * by name; every method that makes one answers its name.
 */
final class OnnxGraph {
  /** Of the standard operators, the only domain used. */
  static final int OPSET = 17;

  /** The first opset with constants of 4 bits. */
  static final int NIBBLE_OPSET = 21;

  /** ONNX 1.12, the first with {@value #OPSET}. */
  private static final int IR_VERSION = 8;

  /** ONNX 1.16, the first with {@value #NIBBLE_OPSET}. */
  private static final int NIBBLE_IR_VERSION = 10;

  /** What a message of protocol buffers may hold, less room for the nodes. */
  private static final long MOST_BYTES = Integer.MAX_VALUE - (64L << 20);

  private static final String BATCH = "batch";

  private final GraphProto.Builder graph = GraphProto.newBuilder();
  private final Set<String> names = new HashSet<>();
  private final Map<Object, String> scalars = new HashMap<>();
  private final int opset;
  private long bytes;

  /** A graph of opset {@value #OPSET}. */
  OnnxGraph(String name) {
    this(name, false);
  }

  /**
   * @param nibbles whether it may hold constants of 4 bits: then its opset is {@value
   *     #NIBBLE_OPSET}, else {@value #OPSET}
   */
  OnnxGraph(String name, boolean nibbles) {
    graph.setName(name);
    opset = nibbles ? NIBBLE_OPSET : OPSET;
  }

  /** A name that nothing has yet, the given one if that is free. */
  private String unique(String name) {
    String free = name;
    for (int i = 2; !names.add(free); i++) {
      free = name + "_" + i;
    }
    return free;
  }

  /**
   * Adds a node with one output.
   *
   * @param name of the node and of its output, as a whole if it is free
   */
  String node(String operator, String name, List<String> inputs, AttributeProto... attributes) {
    return nodes(operator, name, 1, inputs, attributes).get(0);
  }

  /** Adds a node with several outputs. */
  List<String> nodes(
      String operator,
      String name,
      int outputs,
      List<String> inputs,
      AttributeProto... attributes) {
    NodeProto.Builder node = NodeProto.newBuilder().setOpType(operator);
    String first = unique(name);
    node.setName(first).addAllInput(inputs).addOutput(first);
    for (int i = 1; i < outputs; i++) {
      node.addOutput(unique(name));
    }
    node.addAllAttribute(List.of(attributes));
    graph.addNode(node);
    return List.copyOf(node.getOutputList());
  }

  /** Adds a cut into equal parts. */
  List<String> split(String name, String x, long axis, int parts) {
    AttributeProto along = attribute("axis", axis);
    return opset == OPSET
        ? nodes("Split", name, parts, List.of(x), along)
        : nodes("Split", name, parts, List.of(x), along, attribute("num_outputs", (long) parts));
  }

  /** Adds the mean along an axis, which goes. */
  String mean(String name, String x, long axis) {
    AttributeProto drop = attribute("keepdims", 0L);
    return opset == OPSET
        ? node("ReduceMean", name, List.of(x), attribute("axes", new long[] {axis}), drop)
        : node("ReduceMean", name, List.of(x, vector(axis)), drop);
  }

  /** The input: its first dimension is free. */
  void input(String name, TensorProto.DataType type, long... rest) {
    names.add(name);
    graph.addInput(value(name, type, rest));
  }

  /** The output, which a node has already: its first dimension is free. */
  void output(String name, TensorProto.DataType type, long... rest) {
    graph.addOutput(value(name, type, rest));
  }

  private static ValueInfoProto value(String name, TensorProto.DataType type, long... rest) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    shape.addDimBuilder().setDimParam(BATCH);
    for (long size : rest) {
      shape.addDimBuilder().setDimValue(size);
    }
    TypeProto.Builder proto = TypeProto.newBuilder();
    proto.getTensorTypeBuilder().setElemType(type.getNumber()).setShape(shape);
    return ValueInfoProto.newBuilder().setName(name).setType(proto).build();
  }

  /** A float32 constant. */
  String floats(String name, float[] values, long... shape) {
    ByteBuffer buffer = buffer(4L * values.length);
    buffer.asFloatBuffer().put(values);
    return constant(name, TensorProto.DataType.FLOAT, buffer, shape);
  }

  /** An int64 constant. */
  String longs(String name, long[] values, long... shape) {
    ByteBuffer buffer = buffer(8L * values.length);
    buffer.asLongBuffer().put(values);
    return constant(name, TensorProto.DataType.INT64, buffer, shape);
  }

  /** An int32 constant. */
  String ints(String name, int[] values, long... shape) {
    ByteBuffer buffer = buffer(4L * values.length);
    buffer.asIntBuffer().put(values);
    return constant(name, TensorProto.DataType.INT32, buffer, shape);
  }

  /** A constant of bytes: int8, uint8 or bool. */
  String bytes(String name, TensorProto.DataType type, byte[] values, long... shape) {
    return constant(name, type, buffer(values.length).put(0, values), shape);
  }

  /**
   * A constant of 4 bits, two numbers a byte.
   *
   * @param type INT4 or UINT4
   * @param values whose lowest bits are taken
   */
  String nibbles(String name, TensorProto.DataType type, byte[] values, long... shape) {
    if (opset == OPSET) {
      throw new IllegalStateException(name + ": opset " + OPSET + " has no constants of 4 bits");
    }
    ByteBuffer buffer = buffer((values.length + 1L) / 2);
    for (int i = 0; i < values.length; i += 2) {
      int high = i + 1 < values.length ? values[i + 1] << 4 : 0;
      buffer.put(i / 2, (byte) (high | (values[i] & 15)));
    }
    return constant(name, type, buffer, shape);
  }

  /** An int64 vector that is written once, however often it is asked for: a shape, axes. */
  String vector(long... values) {
    return scalars.computeIfAbsent(
        Arrays.toString(values),
        key -> longs("int64" + key.toString().replace(" ", ""), values, values.length));
  }

  /** An int64 scalar that is written once. */
  String scalar(long value) {
    return scalars.computeIfAbsent(value, key -> longs("int64." + value, new long[] {value}));
  }

  /** A float32 scalar that is written once. */
  String scalar(float value) {
    return scalars.computeIfAbsent(value, key -> floats("float." + value, new float[] {value}));
  }

  /** A uint64 scalar that is written once: how far to shift. */
  String unsigned(long value) {
    return scalars.computeIfAbsent(
        "uint64 " + value,
        key ->
            constant("uint64." + value, TensorProto.DataType.UINT64, buffer(8).putLong(0, value)));
  }

  /** A scalar of type int8 or uint8 that is written once: a zero point. */
  String zeroPoint(TensorProto.DataType type, int value) {
    String name = type.name().toLowerCase(java.util.Locale.ROOT) + "." + value;
    return scalars.computeIfAbsent(name, key -> bytes(name, type, new byte[] {(byte) value}));
  }

  /** An int32 scalar that is written once. */
  String scalar(int value) {
    return scalars.computeIfAbsent(
        "int32 " + value, key -> ints("int32." + value, new int[] {value}));
  }

  /** A uint64 constant. */
  String unsigned(String name, long[] values, long... shape) {
    ByteBuffer buffer = buffer(8L * values.length);
    buffer.asLongBuffer().put(values);
    return constant(name, TensorProto.DataType.UINT64, buffer, shape);
  }

  /**
   * A constant that is written once.
   *
   * @param key what it is: equal to that of the same constant alone
   * @param write writes it, and answers with its name
   */
  String shared(Object key, Supplier<String> write) {
    return scalars.computeIfAbsent(key, absent -> write.get());
  }

  private ByteBuffer buffer(long size) {
    bytes += size;
    if (bytes > MOST_BYTES) {
      throw new InputException(
          graph.getName()
              + ": its constants pass 2 GB, the most that one ONNX file holds; expected a smaller"
              + " model");
    }
    return ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private String constant(
      String name, TensorProto.DataType type, ByteBuffer values, long... shape) {
    String free = unique(name);
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(free)
            .setDataType(type.getNumber())
            .setRawData(UnsafeByteOperations.unsafeWrap(values));
    for (long size : shape) {
      tensor.addDims(size);
    }
    graph.addInitializer(tensor);
    return free;
  }

  /**
   * The whole model.
   *
   * @param producer version of this program
   * @param metadata as other runtimes show it
   */
  ModelProto model(String producer, Map<String, String> metadata) {
    ModelProto.Builder model =
        ModelProto.newBuilder()
            .setIrVersion(opset == OPSET ? IR_VERSION : NIBBLE_IR_VERSION)
            .setProducerName("ivit")
            .setProducerVersion(producer)
            .setGraph(graph)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(opset));
    metadata.forEach(
        (key, value) ->
            model.addMetadataProps(
                StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
    return model.build();
  }

  /** An integer attribute. */
  static AttributeProto attribute(String name, long value) {
    return attribute(name, AttributeProto.AttributeType.INT).setI(value).build();
  }

  /** A float attribute. */
  static AttributeProto attribute(String name, float value) {
    return attribute(name, AttributeProto.AttributeType.FLOAT).setF(value).build();
  }

  /** A text attribute. */
  static AttributeProto attribute(String name, String value) {
    return attribute(name, AttributeProto.AttributeType.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  /** An attribute of integers, such as the order of a transposition. */
  static AttributeProto attribute(String name, long... values) {
    return attribute(name, AttributeProto.AttributeType.INTS)
        .addAllInts(Arrays.stream(values).boxed().toList())
        .build();
  }

  private static AttributeProto.Builder attribute(String name, AttributeProto.AttributeType type) {
    return AttributeProto.newBuilder().setName(name).setType(type);
  }
}
