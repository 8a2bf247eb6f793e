package org.ivit.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ivit.core.InputException;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  @TempDir Path folder;

  static Map<String, Tensor> everyDType() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("i8", Tensor.of(new byte[] {-128, 0, 127}, 3));
    tensors.put("f64", Tensor.of(new double[] {Math.PI, -0.0, Double.NaN, Double.MIN_VALUE}, 2, 2));
    tensors.put("u8", Tensor.ofUnsigned(new byte[] {-1, 0, 1, 2, 3}, 5, 1));
    tensors.put("i16", Tensor.of(new short[] {Short.MIN_VALUE, Short.MAX_VALUE, 1}, 1, 3));
    tensors.put("f32", Tensor.of(new float[] {1.5f, Float.NEGATIVE_INFINITY, -0.0f}, 3));
    tensors.put("scalar", Tensor.of(new int[] {Integer.MIN_VALUE}));
    tensors.put("i64", Tensor.of(new long[] {Long.MIN_VALUE, Long.MAX_VALUE}, 2));
    tensors.put("empty", Tensor.of(new float[0], 3, 0, 2));
    tensors.put("f16", Tensor.view(DType.F16, shorts(0x3c00, 0x8000, 0x7bff), 3));
    tensors.put("bf16", Tensor.view(DType.BF16, shorts(0x3f80, 0xff80), 2, 1));
    tensors.put("bool", Tensor.view(DType.BOOL, ByteBuffer.wrap(new byte[] {0, 1, 1}), 3));
    tensors.put("größe \"µ\"\n", Tensor.of(new byte[] {7}, 1, 1, 1, 1));
    return tensors;
  }

  private static ByteBuffer shorts(int... values) {
    ByteBuffer memory = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      memory.putShort((short) value);
    }
    return memory.flip();
  }

  @Test
  void tensorsOnTheHeapEqualThoseThatAreMapped() {
    Path file = folder.resolve("both.safetensors");
    byte[] codes = new byte[1 << 21];
    new Random(1).nextBytes(codes);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("codes", Tensor.of(codes, 2, 1 << 20));
    tensors.put("values", Tensor.of(new float[] {1, 2, 3}, 3));
    Safetensors.write(file, tensors, Map.of("a", "b"));
    TensorFile heap = Safetensors.readToHeap(file);
    assertThat(heap.tensors()).isEqualTo(Safetensors.read(file).tensors()).isEqualTo(tensors);
    assertThat(heap.metadata()).containsEntry("a", "b");
    Tensor own = heap.get("codes");
    assertThat(own.sharedBytes()).isSameAs(own.sharedBytes()).isEqualTo(codes);
    assertThat(own.bytes()).isNotSameAs(own.sharedBytes()).isEqualTo(codes);
    Tensor mapped = Safetensors.read(file).get("codes");
    assertThat(mapped.sharedBytes()).isNotSameAs(mapped.sharedBytes()).isEqualTo(codes);
  }

  @Test
  void roundTripKeepsEveryDTypeNameAndTheOrder() {
    Path file = folder.resolve("all.safetensors");
    Map<String, String> metadata = Map.of("format", "pt", "empty", "", "quote", "a\"b\\c\nü");
    Safetensors.write(file, everyDType(), metadata);
    TensorFile read = Safetensors.read(file);
    assertThat(read.tensors()).isEqualTo(everyDType());
    assertThat(List.copyOf(read.tensors().keySet())).isEqualTo(List.copyOf(everyDType().keySet()));
    assertThat(read.metadata()).isEqualTo(metadata);
    assertThat(read.get("f16").floats()).containsExactly(1.0f, -0.0f, 65504.0f);
    assertThat(read.get("bf16").floats()).containsExactly(1.0f, Float.NEGATIVE_INFINITY);
    assertThat(read.get("u8").ints()).containsExactly(255, 0, 1, 2, 3);
    assertThat(read.get("i16").longs()).containsExactly(-32768, 32767, 1);
    assertThat(read.get("scalar").shape()).isEmpty();
    assertThat(read.get("scalar").ints()).containsExactly(Integer.MIN_VALUE);
    assertThat(read.get("empty").size()).isZero();
    assertThat(read.get("empty").shape()).containsExactly(3, 0, 2);
  }

  @Test
  void dataIsAlignedToItsElements() throws IOException {
    Path file = folder.resolve("aligned.safetensors");
    Safetensors.write(file, everyDType(), Map.of());
    byte[] bytes = Files.readAllBytes(file);
    int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertThat(header % 8).isZero();
    byte[] text = new byte[header];
    System.arraycopy(bytes, 8, text, 0, header);
    SafetensorsHeader parsed = SafetensorsHeader.parse("test", text, bytes.length - 8 - header);
    for (SafetensorsHeader.Entry entry : parsed.entries()) {
      assertThat(entry.begin() % entry.dtype().size()).as(entry.name()).isZero();
    }
  }

  @Test
  void noTensorsAtAll() {
    Path file = folder.resolve("none.safetensors");
    Safetensors.write(file, Map.of(), Map.of());
    assertThat(Safetensors.read(file).tensors()).isEmpty();
    assertThat(Safetensors.read(file).metadata()).isEmpty();
  }

  @Test
  void namesWhatIsMissing() {
    Path file = folder.resolve("small.safetensors");
    assertThatThrownBy(() -> Safetensors.read(file))
        .isInstanceOf(InputException.class)
        .hasMessage(file + ": no such file");
    assertThatThrownBy(() -> Safetensors.read(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is a folder");
    Safetensors.write(file, Map.of("w", Tensor.of(new long[] {1}, 1)), Map.of());
    TensorFile read = Safetensors.read(file);
    assertThatThrownBy(() -> read.get("head.bias"))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(file.toString(), "head.bias");
    assertThatThrownBy(() -> read.get("w").floats())
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(file.toString(), "tensor w", "I64", "F32");
  }

  @Test
  void readsTheRealWeights() {
    TensorFile weights = Shared.tensors("weights/vit_tiny_patch16_224.safetensors");
    assertThat(weights.tensors()).hasSize(152);
    assertThat(weights.get("pos_embed").shape()).containsExactly(1, 197, 192);
    assertThat(weights.get("head.weight").floats()).hasSize(192_000);
    assertThat(weights.metadata()).containsEntry("architecture", "vit_tiny_patch16_224");
    Path copy = folder.resolve("copy.safetensors");
    Safetensors.write(copy, weights.tensors(), weights.metadata());
    assertThat(Safetensors.read(copy).tensors()).isEqualTo(weights.tensors());
  }
}
