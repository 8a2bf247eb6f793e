package org.ivit.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.fail;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that lie, are cut or damaged: each is one clear refusal, never another exception. */
class MaliciousSafetensorsTest {
  @TempDir Path folder;

  private Path file(String header, int dataSize) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    return file(text.length, text, dataSize);
  }

  private Path file(long length, byte[] header, int dataSize) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + header.length + dataSize).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(length).put(header);
    return Files.write(folder.resolve("evil.safetensors"), bytes.array());
  }

  private static void refused(Path file, String... parts) {
    InputException refusal =
        catchThrowableOfType(InputException.class, () -> Safetensors.read(file));
    assertThat(refusal).isNotNull();
    String prefix = file + ": ";
    assertThat(refusal.getMessage())
        .startsWith(prefix)
        .hasSizeLessThan(prefix.length() + 600)
        .doesNotContain("\n");
    for (String part : parts) {
      assertThat(refusal.getMessage()).contains(part);
    }
  }

  private static String tensor(String name, String dtype, String shape, String offsets) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}"
        .formatted(name, dtype, shape, offsets);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // dtype, shape, offsets, size of the data, what the message says
        "F32 | [2]                                | [0,4]   | 4  | expected 8 for F32 [2]",
        "F32 | [2]                                | [0,12]  | 12 | expected 8 for F32 [2]",
        "F32 | [3]                                | [0,12]  | 8  | file has 8: truncated",
        "F32 | [1]                                | [4,8]   | 8  | gap",
        "F32 | [1]                                | [4,0]   | 4  | in order",
        "F32 | [1]                                | [-4,0]  | 4  | integers from 0",
        "F32 | [-1]                               | [0,4]   | 4  | integers from 0",
        "F32 | [-1,-1]                            | [0,4]   | 4  | integers from 0",
        "F32 | [1.0]                              | [0,4]   | 4  | integers from 0",
        "F32 | [1e0]                              | [0,4]   | 4  | integers from 0",
        "F32 | [\"1\"]                            | [0,4]   | 4  | integers from 0",
        "F32 | [true]                             | [0,4]   | 4  | integers from 0",
        "F32 | [null]                             | [0,4]   | 4  | integers from 0",
        "F32 | [[1]]                              | [0,4]   | 4  | integers from 0",
        "F32 | 1                                  | [0,4]   | 4  | array of integers",
        "F32 | {}                                 | [0,4]   | 4  | array of integers",
        "F32 | null                               | [0,4]   | 4  | array of integers",
        "F32 | [1]                                | [0]     | 4  | [begin, end]",
        "F32 | [1]                                | [0,4,4] | 4  | [begin, end]",
        "F32 | [1]                                | []      | 4  | [begin, end]",
        "F32 | [1]                                | [0,4.0] | 4  | integers from 0",
        "F32 | [4294967296,4294967296]            | [0,0]   | 0  | 64 bits",
        "F32 | [4294967296,4294967296,0]          | [0,0]   | 0  | 64 bits",
        "I8  | [4611686018427387904,2]            | [0,0]   | 0  | 64 bits",
        "F64 | [2305843009213693952]              | [0,0]   | 0  | 64 bits",
        "I8  | [9223372036854775807]              | [0,9223372036854775807] | 4 | at most 2 GiB",
        "I8  | [9223372036854775808]              | [0,0]   | 0  | more than 63 bits",
        "I8  | [99999999999999999999999999999]    | [0,0]   | 0  | more than 63 bits",
        "I8  | [1] | [18446744073709551615,18446744073709551616] | 1 | more than 63 bits",
        "F31 | [1]                                | [0,4]   | 4  | dtype is F31",
        "f32 | [1]                                | [0,4]   | 4  | dtype is f32",
        "U64 | [1]                                | [0,8]   | 8  | dtype is U64",
        "F8_E4M3 | [1]                            | [0,1]   | 1  | dtype is F8_E4M3",
      })
  void headersThatLieAboutOneTensor(
      String dtype, String shape, String offsets, int dataSize, String message) throws IOException {
    Path file = file("{" + tensor("blocks.0.w", dtype, shape, offsets) + "}", dataSize);
    refused(file, "tensor blocks.0.w: ", message);
  }

  @Test
  void overlapsHolesAndDuplicates() throws IOException {
    String a = tensor("a", "F32", "[2]", "[0,8]");
    refused(file("{" + a + "," + tensor("b", "F32", "[2]", "[4,12]") + "}", 12), "overlaps a");
    refused(file("{" + a + "," + tensor("b", "F32", "[2]", "[0,8]") + "}", 8), "overlaps a");
    refused(
        file("{" + a + "," + tensor("b", "F32", "[1]", "[12,16]") + "}", 16), "tensor b", "gap");
    refused(
        file("{" + tensor("b", "I8", "[0]", "[4,4]") + "," + a + "}", 8), "tensor b", "overlaps");
    refused(file("{" + a + "," + a + "}", 8), "Duplicate", "'a'");
    refused(
        file(
            "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4),
        "Duplicate",
        "dtype");
    refused(file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0), "Duplicate", "k");
    refused(file("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "Duplicate");
  }

  @Test
  void emptyTensorsMayLieAnywhereBetweenOthers() throws IOException {
    String between = tensor("none", "F32", "[0]", "[4,4]");
    String a = tensor("a", "F32", "[]", "[0,4]");
    String b = tensor("b", "F32", "[1]", "[4,8]");
    TensorFile read = Safetensors.read(file("{" + b + "," + between + "," + a + "}", 8));
    assertThat(List.copyOf(read.tensors().keySet())).containsExactly("b", "none", "a");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " {}",
        "[]",
        "null",
        "{",
        "{}}",
        "{} {}",
        "{}x",
        "{\"a\"}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":1,}",
        "{/**/}",
        "{\"a\":NaN}",
        "{\"a\":7}",
        "{\"a\":[]}",
        "{\"a\":null}",
        "{\"a\":{}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}",
        "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}",
        "{\"a\":{\"shape\":[0],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"more\":1}}",
        "{\"a\":{\"dtype\":1,\"shape\":[0],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}",
        "{\"__metadata__\":null}",
        "{\"__metadata__\":[]}",
        "{\"__metadata__\":\"x\"}",
        "{\"__metadata__\":{\"a\":1}}",
        "{\"__metadata__\":{\"a\":{}}}",
        "{\"a\":\"\\ud800",
        "{\"a\nb\":1}",
      })
  void headersThatAreNoHeader(String header) throws IOException {
    refused(file(header, 0));
  }

  @Test
  void deepNestingAndLongTokensDoNotOverflow() throws IOException {
    refused(file("{\"a\":".repeat(100_000), 0));
    refused(file("{\"a\":" + "[".repeat(1_000_000), 0));
    refused(file("{\"a\":{\"shape\":[" + "9".repeat(1_000_000) + "]}}", 0));
    refused(file("{\"" + "n".repeat(1_000_000) + "\":1}", 0));
    refused(file("{\"" + "n".repeat(10_000) + "\":1}", 0), "nnn...");
    refused(file("{\"line\\nbreak\":1}", 0), "\"line?break\"");
  }

  @Test
  void headerThatIsNotUtf8() throws IOException {
    byte[] latin = "{\"ä\":1}".getBytes(StandardCharsets.ISO_8859_1);
    refused(file(latin.length, latin, 0), "UTF-8");
    byte[] wide = "{}".getBytes(StandardCharsets.UTF_16LE);
    refused(file(wide.length, wide, 0));
  }

  @ParameterizedTest
  @ValueSource(
      longs = {3, 100, 100_000_000, 100_000_001, 1L << 31, 1L << 32, 1L << 62, Long.MIN_VALUE, -1})
  void headerLengthsBeyondTheFile(long length) throws IOException {
    refused(
        file(length, "{}".getBytes(StandardCharsets.UTF_8), 0),
        "header length is " + Long.toUnsignedString(length));
  }

  @Test
  void headerBeyondTheLimitThoughTheFileIsLarge() throws IOException {
    Path file = file(100_000_001, "{}".getBytes(StandardCharsets.UTF_8), 0);
    extend(file, 100_000_100);
    refused(file, "header length is 100000001", "at most 100000000");
  }

  @Test
  void filesTooShort() throws IOException {
    for (int size = 0; size < 8; size++) {
      Path file = Files.write(folder.resolve("short"), new byte[size]);
      refused(file, "has " + size + " bytes");
    }
  }

  @Test
  void cutAtEveryByte() throws IOException {
    byte[] whole = small();
    Path file = folder.resolve("cut.safetensors");
    for (int size = 0; size < whole.length; size++) {
      Files.write(file, Arrays.copyOf(whole, size));
      refused(file);
    }
    Files.write(file, Arrays.copyOf(whole, whole.length + 1));
    refused(file, "bytes of no tensor");
    Files.write(file, whole);
    assertThat(Safetensors.read(file).tensors()).isEqualTo(smallTensors());
  }

  @Test
  void everyBitOfLengthAndHeaderFlipped() throws IOException {
    byte[] whole = small();
    int end = 8 + (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
    int refusals = 0;
    for (int bit = 0; bit < 8 * end; bit++) {
      byte[] damaged = whole.clone();
      damaged[bit / 8] ^= (byte) (1 << (bit % 8));
      refusals += readsAsBeforeOrRefuses(damaged) ? 0 : 1;
    }
    assertThat(refusals).isGreaterThan(6 * end).isLessThan(8 * end);
  }

  /** Names and texts may differ; sizes and data may not. */
  private boolean readsAsBeforeOrRefuses(byte[] damaged) throws IOException {
    Path file = Files.write(folder.resolve("flipped.safetensors"), damaged);
    TensorFile read;
    try {
      read = Safetensors.read(file);
    } catch (InputException e) {
      assertThat(e.getMessage()).startsWith(file + ": ").doesNotContain("\n");
      return false;
    }
    assertThat(List.copyOf(read.tensors().values()))
        .isEqualTo(List.copyOf(smallTensors().values()));
    return true;
  }

  @Test
  void thousandsOfMutations() throws IOException {
    String[] tokens = {
      "0",
      "1",
      "-1",
      "18446744073709551615",
      "9223372036854775807",
      "1e400",
      "0.5",
      "null",
      "true",
      "[]",
      "{}",
      "\"\"",
      "\"F64\"",
      "\"I8\"",
      "\"BOOL\"",
      ",",
      ":",
      "}",
      "]",
      "\"",
      "\\",
      "\\u0000",
      "__metadata__",
      "data_offsets",
      "[0,0]",
      "[4,8]",
      "\0",
      "\u00ff",
      " "
    };
    byte[] whole = small();
    Path file = folder.resolve("fuzz.safetensors");
    Random random = new Random(20240117);
    int read = 0;
    for (int round = 0; round < 4_000; round++) {
      byte[] mutant = whole;
      for (int times = 1 + random.nextInt(3); times > 0; times--) {
        mutant = mutate(mutant, random, tokens);
      }
      if (random.nextBoolean()) {
        mutant = mendLength(mutant, whole.length);
      }
      Files.write(file, mutant);
      try {
        for (Tensor tensor : Safetensors.read(file).tensors().values()) {
          byte[] data = new byte[tensor.size() * tensor.dtype().size()];
          ByteBuffer buffer = tensor.buffer();
          buffer.get(data);
          assertThat(buffer.hasRemaining()).isFalse();
        }
        read++;
      } catch (InputException e) {
        assertThat(e.getMessage()).startsWith(file + ": ").doesNotContain("\n");
      } catch (RuntimeException e) {
        fail("round " + round + ": " + new String(mutant, StandardCharsets.ISO_8859_1), e);
      }
    }
    assertThat(read).isBetween(100, 3_600);
  }

  private static byte[] mutate(byte[] bytes, Random random, String[] tokens) {
    if (bytes.length == 0) {
      return bytes;
    }
    int at = random.nextInt(bytes.length);
    int length = Math.min(random.nextInt(8), bytes.length - at);
    byte[] insert =
        switch (random.nextInt(5)) {
          case 0 -> new byte[] {(byte) random.nextInt()};
          case 1 -> new byte[0];
          case 2 -> Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + 40));
          default -> tokens[random.nextInt(tokens.length)].getBytes(StandardCharsets.ISO_8859_1);
        };
    ByteArrayOutputStream mutant = new ByteArrayOutputStream();
    mutant.write(bytes, 0, at);
    mutant.writeBytes(insert);
    int rest = random.nextBoolean() ? at + insert.length : at + length;
    mutant.write(bytes, Math.min(rest, bytes.length), Math.max(0, bytes.length - rest));
    return mutant.toByteArray();
  }

  /** Adjusts the header length by what the mutation added, so that the parser sees more of it. */
  private static byte[] mendLength(byte[] mutant, int originalSize) {
    if (mutant.length >= 8) {
      ByteBuffer bytes = ByteBuffer.wrap(mutant).order(ByteOrder.LITTLE_ENDIAN);
      bytes.putLong(0, bytes.getLong(0) + mutant.length - originalSize);
    }
    return mutant;
  }

  @Test
  void filesBeyondTwoGibibytesAreMappedByTensor() throws IOException {
    long large = 1_200_000_000L;
    String header =
        "{"
            + tensor("a", "I8", "[" + large + "]", "[0," + large + "]")
            + ","
            + tensor("b", "I8", "[2," + large / 2 + "]", "[" + large + "," + 2 * large + "]")
            + ","
            + tensor("c", "I32", "[2]", "[" + 2 * large + "," + (2 * large + 8) + "]")
            + "}";
    Path file = file(header, 0);
    long end = Files.size(file) + 2 * large + 8;
    Assumptions.assumeTrue(
        Files.getFileStore(folder).getUsableSpace() > 3 * large, "skipped: no space for 2.4 GB");
    extend(file, end);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {7, 0, 0, 0, -1, -1, -1, -1}), end - 8);
      channel.write(ByteBuffer.wrap(new byte[] {42}), end - 9);
    }
    TensorFile read = Safetensors.read(file);
    assertThat(read.get("c").ints()).containsExactly(7, -1);
    assertThat(read.get("b").buffer().get((int) large - 1)).isEqualTo((byte) 42);
    assertThat(read.get("a").size()).isEqualTo((int) large);
    extend(file, end + 1);
    refused(file, "bytes of no tensor");
  }

  /** Sparse where the file system can. */
  private static void extend(Path file, long size) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
    }
  }

  @Test
  void writerRefusesTheNameOfTheMetadata() {
    Map<String, Tensor> tensors = Map.of("__metadata__", Tensor.of(new byte[1], 1));
    Path file = folder.resolve("no.safetensors");
    assertThatThrownBy(() -> Safetensors.write(file, tensors, Map.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(folder).isEmptyDirectory();
  }

  private static Map<String, Tensor> smallTensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("w", Tensor.of(new float[] {1, -2, 3, 4, 5, -6}, 2, 3));
    tensors.put("scalar", Tensor.of(new long[] {-9}));
    tensors.put("b", Tensor.of(new byte[] {1, 2, 3}, 3));
    return tensors;
  }

  private static byte[] small() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Safetensors.write(bytes, smallTensors(), Map.of("kind", "test"));
    return bytes.toByteArray();
  }
}
