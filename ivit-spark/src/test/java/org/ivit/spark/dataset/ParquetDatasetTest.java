package org.ivit.spark.dataset;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.ivit.spark.Tiny.run;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.parquet.column.ParquetProperties.WriterVersion;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.ivit.core.InputException;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.EncodedDataset;
import org.ivit.core.io.Digests;
import org.ivit.spark.Tiny;
import org.ivit.train.loop.Trainer;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.run.RunDirectory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures in Parquet files on this machine: written, read, refused, trained on. */
class ParquetDatasetTest {
  @TempDir static Path folder;

  @BeforeAll
  static void java() {
    Tiny.assumeJava();
  }

  /** Files of many sizes, of which most are no pictures: bytes are bytes. */
  private static Path files(String name) throws IOException {
    Path root = folder.resolve(name);
    Random random = new Random(3);
    for (String label : List.of("n01 x", "n02", "ü")) {
      Path into = Files.createDirectories(root.resolve(label));
      for (int size : new int[] {0, 1, 700, 4095, 4096, 4097, 9000, 70_000}) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        Files.write(into.resolve(size + " ö.JPEG"), bytes);
      }
    }
    return root;
  }

  private static EncodedDataset open(Object location) {
    return (EncodedDataset) Datasets.open(location.toString(), null, null);
  }

  private static Path convert(Path data, String output, Object... more) {
    Path to = folder.resolve(output);
    Stream<Object> args = Stream.of("convert", "--data", data, "--output", to);
    run(Stream.concat(args, Stream.of(more)).toArray()).done();
    return to;
  }

  private static void assertSame(EncodedDataset set, EncodedDataset expected) {
    assertThat(set.size()).isEqualTo(expected.size());
    assertThat(set.classList().ids()).isEqualTo(expected.classList().ids());
    assertThat(set.classNames()).isEqualTo(expected.classNames());
    // Backwards: not the order in which they lie.
    for (int i = set.size() - 1; i >= 0; i--) {
      assertThat(set.name(i)).isEqualTo(expected.name(i));
      assertThat(set.label(i)).isEqualTo(expected.label(i));
      assertThat(Arrays.equals(set.encoded(i), expected.encoded(i))).as(set.name(i)).isTrue();
    }
    assertThat(Datasets.digest(set)).isEqualTo(Datasets.digest(expected));
  }

  private static List<Path> list(Path path) throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files.sorted().toList();
    }
  }

  @Test
  void keepsEveryByteNameAndLabel() throws IOException {
    Path root = files("kept");
    Path one = convert(root, "kept.parquet");
    Path parts = folder.resolve("kept in parts");
    try (EncodedDataset expected = open(root);
        EncodedDataset set = open(one)) {
      assertThat(set.size()).isEqualTo(24);
      assertSame(set, expected);
      int[] told = {0};
      int count =
          new HadoopPictureStore().write(expected, "file://" + parts, 50_000, n -> told[0] += n);
      assertThat(count).isEqualTo(4);
      assertThat(told[0]).isEqualTo(24);
      try (EncodedDataset cut = open(parts);
          EncodedDataset again = open("file:" + convert(parts, "again.parquet"))) {
        assertSame(cut, expected);
        assertSame(again, expected);
      }
    }
    assertThat(list(parts).stream().map(p -> p.getFileName().toString()))
        .containsExactly(
            "part-00000.parquet", "part-00001.parquet", "part-00002.parquet", "part-00003.parquet");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left.map(p -> p.getFileName().toString())).noneMatch(n -> n.startsWith("."));
    }
  }

  @Test
  void keepsReadableNamesOfClasses() throws IOException {
    Path root = files("named");
    Path list = folder.resolve("classes.txt");
    Files.writeString(list, "ü\tumlaut, U\nn01 x\tfirst\nn02\tsecond\nn03\tnone of it\n");
    Path one = convert(root, "named.parquet", "--classes", list);
    try (Dataset expected = Datasets.open(root.toString(), ClassList.read(list), null);
        EncodedDataset set = open(one)) {
      assertThat(set.classNames()).startsWith("umlaut, U").hasSize(4);
      assertSame(set, (EncodedDataset) expected);
    }
    ClassList other = ClassList.of(List.of("n02", "ü", "n01 x"));
    try (Dataset expected = Datasets.open(root.toString(), other, null);
        Dataset set = Datasets.open(one.toString(), other, null)) {
      assertSame((EncodedDataset) set, (EncodedDataset) expected);
    }
    assertThatThrownBy(() -> Datasets.open(one.toString(), ClassList.of(List.of("n02", "ü")), null))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("named.parquet: n01 x/0 ö.JPEG: found the class 'n01 x'");
  }

  @Test
  void aReadBringsOnePicture() throws IOException {
    Path one = convert(files("paged"), "paged.parquet");
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(one.toUri());
    try (ParquetFileReader reader =
        ParquetFileReader.open(HadoopInputFile.fromPath(path, HadoopFiles.configuration()))) {
      ColumnChunkMetaData chunk = reader.getRowGroups().get(0).getColumns().get(0);
      assertThat(PicturePages.isPlain(chunk, PictureTable.schema().getType(0))).isTrue();
      // In each folder's order 0, 1, 4095, 4096, 4097, 700, 70000, 9000: what is small shares.
      assertThat(reader.readOffsetIndex(chunk).getPageCount()).isBetween(12, 18);
    }
  }

  /** A label of a row without a picture. */
  private record Blind(long label) {}

  /** A file of another's making: a row a label, pictures of 1000 bytes and more. */
  private static Path foreign(
      String name,
      String schema,
      List<Object> labels,
      UnaryOperator<ExampleParquetWriter.Builder> settings)
      throws IOException {
    Path path = folder.resolve(name);
    MessageType type = MessageTypeParser.parseMessageType("message m {" + schema + "}");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ParquetWriter<Group> writer =
        settings
            .apply(ExampleParquetWriter.builder(new StreamFile(bytes)).withType(type))
            .build()) {
      for (int i = 0; i < labels.size(); i++) {
        Group row = new SimpleGroup(type);
        if (type.containsField("image") && !(labels.get(i) instanceof Blind)) {
          row.add("image", Binary.fromConstantByteArray(content(i)));
        }
        if (labels.get(i) instanceof String id) {
          row.add(type.containsField("wnid") ? "wnid" : "label", id);
        } else if (labels.get(i) instanceof Long number) {
          row.add("label", number);
        } else if (labels.get(i) instanceof Integer number) {
          row.add("label", number);
        } else if (labels.get(i) instanceof Blind blind) {
          row.add("label", blind.label);
        }
        writer.write(row);
      }
    }
    Files.write(path, bytes.toByteArray());
    return path;
  }

  private static byte[] content(int i) {
    byte[] content = new byte[1000 + i];
    new Random(i % 5).nextBytes(content);
    return content;
  }

  private static List<Object> numbers(int count) {
    return new ArrayList<>(
        IntStream.range(0, count).mapToObj(i -> (Object) (long) (i % 7)).toList());
  }

  /** Many row groups, so that the cache of one is left again and again. */
  private static ExampleParquetWriter.Builder small(ExampleParquetWriter.Builder writer) {
    return writer.withRowGroupSize(9000L).withMinRowCountForPageSizeCheck(1);
  }

  @Test
  void readsWhatOthersWrote() throws IOException {
    String numbered = "optional binary image; optional int64 label;";
    String named = "required binary image; required binary wnid (STRING); optional float other;";
    List<Path> files = new ArrayList<>();
    files.add(foreign("plain.parquet", numbered, numbers(60), w -> small(w)));
    files.add(
        foreign(
            "packed.parquet",
            numbered,
            numbers(60),
            w ->
                small(w)
                    .withCompressionCodec(CompressionCodecName.GZIP)
                    .withDictionaryEncoding(true)));
    files.add(
        foreign(
            "second version.parquet",
            numbered.replace("optional", "required"),
            numbers(60),
            w ->
                small(w)
                    .withWriterVersion(WriterVersion.PARQUET_2_0)
                    .withCompressionCodec(CompressionCodecName.SNAPPY)));
    for (Path file : files) {
      try (EncodedDataset set = open(file)) {
        assertThat(set.size()).isEqualTo(60);
        assertThat(set.classNames()).containsExactly("0", "1", "2", "3", "4", "5", "6");
        for (int i : new int[] {59, 0, 30, 31, 29, 58, 1, 59}) {
          assertThat(Arrays.equals(set.encoded(i), content(i))).as(file + " " + i).isTrue();
          assertThat(set.label(i)).isEqualTo(i % 7);
          assertThat(set.name(i)).isEqualTo(file.getFileName() + "/" + i);
        }
      }
    }
    Path ids = foreign("ids.parquet", named, List.of("b", "a", "c", "a"), w -> w);
    try (EncodedDataset set = open(ids)) {
      assertThat(set.classNames()).containsExactly("a", "b", "c");
      assertThat(IntStream.range(0, 4).map(set::label)).containsExactly(1, 0, 2, 0);
      assertThat(set.encoded(3)).isEqualTo(content(3));
    }
  }

  @Test
  void countsNumbersInTheUsersClasses() throws IOException {
    Path file =
        foreign(
            "listed.parquet",
            "required binary image; required int32 label;",
            List.of(1, 0, 3),
            w -> w);
    ClassList four = ClassList.of(List.of("p", "q", "r", "s"));
    try (Dataset set = Datasets.open(file.toString(), four, null)) {
      assertThat(set.classNames()).isEqualTo(four.names());
      assertThat(set.label(2)).isEqualTo(3);
    }
    ClassList three = ClassList.of(List.of("p", "q", "r"));
    assertThatThrownBy(() -> Datasets.open(file.toString(), three, null))
        .isInstanceOf(InputException.class)
        .hasMessage(
            file
                + ": listed.parquet/2: found the class 3, expected one of 3 classes, numbered from"
                + " 0");
  }

  @Test
  void refusesInOneLine() throws IOException {
    String schema = "optional binary image; optional int64 label;";
    Path model = Tiny.weights(folder);
    Map<Path, List<String>> cases =
        Map.of(
            foreign("minus.parquet", schema, List.of(0L, -1L), w -> w),
            List.of("minus.parquet/1: found the class -1"),
            foreign("far.parquet", schema, List.of(2_000_000L), w -> w),
            List.of("found the class 2000000"),
            foreign("unlabelled.parquet", "required binary image;", List.of(), w -> w),
            List.of("found no column label or wnid among [image]"),
            foreign("blind.parquet", "required int64 label;", List.of(new Blind(1)), w -> w),
            List.of("found no column image among [label]"),
            foreign(
                "typed.parquet",
                "required binary image; required double label;",
                List.of(),
                w -> w),
            List.of("column label: found 'required double label', expected int32, int64 or string"),
            foreign("empty.parquet", schema, List.of(), w -> w),
            List.of("found no rows, expected pictures"),
            Files.write(
                folder.resolve("text.parquet"), "no Parquet at all, but long".getBytes(UTF_8)),
            List.of("cannot be read as a Parquet file"),
            Files.write(folder.resolve("short.parquet"), new byte[3]),
            List.of("cannot be read as a Parquet file"),
            cut(foreign("cut.parquet", schema, numbers(60), w -> w)),
            List.of("cannot be read as a Parquet file"),
            Files.createDirectory(folder.resolve("hollow.parquet")),
            List.of("found no Parquet file in this folder"));
    cases.forEach(
        (path, message) ->
            run("evaluate", "--model", model, "--architecture", Tiny.ARCHITECTURE, "--data", path)
                .refused(path.toString(), message.get(0)));
    run("evaluate", "--model", model, "--architecture", Tiny.ARCHITECTURE, "--data", "no.parquet")
        .refused("no.parquet: no such folder of pictures");
  }

  private static Path cut(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    return Files.write(file, Arrays.copyOf(bytes, bytes.length - 100));
  }

  @Test
  void namesTheRowThatIsNull() throws IOException {
    String schema = "optional binary image; optional int64 label;";
    List<Object> labels = new ArrayList<>(List.of(0L, 1L, 2L));
    labels.set(1, null);
    Path file = foreign("null.parquet", schema, labels, w -> w);
    assertThatThrownBy(() -> open(file))
        .isInstanceOf(InputException.class)
        .hasMessage(file + ": row 1, counted from 0: column label: found null, expected a class");
    Path blind = foreign("blind row.parquet", schema, List.of(0L, new Blind(1)), w -> w);
    try (EncodedDataset set = open(blind)) {
      assertThat(set.encoded(0)).isEqualTo(content(0));
      assertThatThrownBy(() -> set.encoded(1))
          .isInstanceOf(InputException.class)
          .hasMessage(blind + ": blind row.parquet/1: found no picture (null)");
    }
  }

  @Test
  void noticesADamagedPage() throws IOException {
    Path one = convert(files("sound"), "damaged.parquet");
    try (EncodedDataset set = open(one);
        RandomAccessFile file = new RandomAccessFile(one.toFile(), "rw")) {
      byte[] picture = set.encoded(6);
      assertThat(picture).hasSize(70_000);
      byte[] bytes = Files.readAllBytes(one);
      int at = new String(bytes, ISO_8859_1).indexOf(new String(picture, ISO_8859_1));
      file.seek(at + 1234);
      file.write(bytes[at + 1234] ^ 1);
      assertThatThrownBy(() -> set.encoded(6))
          .isInstanceOf(InputException.class)
          .hasMessage(
              one
                  + ": n01 x/70000 ö.JPEG: the Parquet file is damaged: the page's check sum does"
                  + " not match");
      assertThat(set.encoded(7)).hasSize(9000);
    }
  }

  @Test
  void writesWholeFilesOrNone() throws IOException {
    Path root = files("unreadable");
    Path output = folder.resolve("half");
    try (EncodedDataset set = open(root)) {
      Files.delete(root.resolve("ü/9000 ö.JPEG"));
      for (String name : List.of("out.parquet", "out")) {
        assertThatThrownBy(
                () ->
                    new HadoopPictureStore()
                        .write(set, output.resolve(name).toString(), 1000, n -> {}))
            .isInstanceOf(InputException.class)
            .hasMessageContaining("ü/9000 ö.JPEG: cannot be read");
      }
    }
    assertThat(list(output)).isEmpty();
    Path there = Files.createDirectories(output.resolve("there"));
    run("convert", "--data", root, "--output", there).refused(there + ": exists");
    run("convert", "--data", root, "--output", output.resolve("x"), "--part-size", 0)
        .refused("--part-size: 0");
    Path labels = Files.writeString(output.resolve("labels.txt"), "x 1");
    Path file = convert(root, "unreadable.parquet");
    run("convert", "--data", file, "--labels", labels, "--output", output.resolve("x"))
        .refused("labels.txt: found a label file beside Parquet");
  }

  @Test
  void interruptedThreadsLeaveTheFileOpen() throws Exception {
    Path plain = convert(Tiny.draw(folder.resolve("interrupted"), 8), "interrupted.parquet");
    Path groups =
        foreign(
            "groups.parquet",
            "optional binary image; optional int64 label;",
            numbers(200),
            w -> small(w).withCompressionCodec(CompressionCodecName.GZIP));
    for (Path file : List.of(plain, groups)) {
      try (EncodedDataset set = open(file)) {
        Interrupter.readAndInterrupt(set, 20);
        for (int i = 0; i < set.size(); i++) {
          assertThat(set.encoded(i)).isNotEmpty();
        }
      }
    }
  }

  private static String result(RunDirectory run) {
    return Digests.file(
        run.path()
            .resolve("checkpoints")
            .resolve(String.valueOf(run.latest().state().step()))
            .resolve("weights.safetensors"));
  }

  @Test
  void learnsAndAnswersAsFromTheFolder() throws IOException {
    Path pictures = Tiny.draw(folder.resolve("learned"), 5);
    Path list = folder.resolve("ten classes.txt");
    Files.write(list, Stream.of("abcdefghij".split("")).map(c -> c + "\tletter " + c).toList());
    Path tables = convert(pictures, "learned in parts", "--classes", list);
    String validation = "data.validation={path: %s, every: 5}";
    RunDirectory one =
        Trainer.start(
            Tiny.recipe(folder, "one", pictures, validation.formatted(pictures)),
            TrainingMonitor.SILENT);
    RunDirectory two =
        Trainer.start(
            Tiny.recipe(folder, "two", "file://" + tables, validation.formatted(tables)),
            TrainingMonitor.SILENT);
    assertThat(result(two)).isEqualTo(result(one));
    assertThat(two.recipe().data().train().path()).isEqualTo("file://" + tables);
    assertThat(two.latest().state().data()).isEqualTo(one.latest().state().data());

    String whole = result(two);
    String early =
        list(two.path().resolve("checkpoints")).stream()
            .map(p -> p.getFileName().toString())
            .filter(step -> !step.equals("0"))
            .min(Comparator.comparing(Integer::valueOf))
            .orElseThrow();
    Files.writeString(two.path().resolve("latest"), early);
    assertThat(result(two)).isNotEqualTo(whole);
    Trainer.resume(two, TrainingMonitor.SILENT);
    assertThat(result(two)).isEqualTo(whole);
    Files.writeString(two.path().resolve("latest"), early);
    Path fewer = convert(Tiny.draw(folder.resolve("fewer"), 4), "fewer.parquet");
    Path part = tables.resolve("part-00000.parquet");
    Path kept = Files.move(part, folder.resolve("kept part"));
    Files.copy(fewer, part);
    run("train", "--resume", two.path()).refused("data.train is not what the run was started with");
    Files.move(kept, part, StandardCopyOption.REPLACE_EXISTING);

    Path model = folder.resolve("learned.ivit.safetensors");
    run("export", "--run", two.path(), "--output", model, "--verify", 8).done();
    Path here = folder.resolve("here.safetensors");
    Path there = folder.resolve("there.safetensors");
    // The classes of the tables, by which the folders are named.
    assertThat(CheckpointFile.read(model).classes()).startsWith("a\tletter a");
    run("evaluate", "--model", model, "--data", pictures, "--logits", here).done();
    run("evaluate", "--model", model, "--data", tables, "--logits", there, "--batch", 3).done();
    assertThat(there).hasSameBinaryContentAs(here);
  }
}
