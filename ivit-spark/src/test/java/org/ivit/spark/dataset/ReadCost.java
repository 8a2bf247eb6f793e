package org.ivit.spark.dataset;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntFunction;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.EncodedDataset;
import org.ivit.train.augment.EpochOrder;

/**
 * What it costs to read pictures in an epoch's order from where they may lie. For {@code
 * docs/scaling.md}; no test.
 */
final class ReadCost {
  private static final int ROUNDS = 5;

  private ReadCost() {}

  /**
   * Measures.
   *
   * @param arguments an image folder, and an empty folder to work in
   */
  public static void main(String[] arguments) throws IOException {
    String folder = arguments[0];
    Path work = Path.of(arguments[1]).toAbsolutePath();
    EncodedDataset set = (EncodedDataset) Datasets.open(folder, null, null);
    long bytes = 0;
    for (int i = 0; i < set.size(); i++) {
      bytes += set.encoded(i).length;
    }
    System.out.printf("%d pictures, %d bytes each%n", set.size(), bytes / set.size());
    Path table = work.resolve("own.parquet");
    long start = System.nanoTime();
    new HadoopPictureStore().write(set, table.toString(), Long.MAX_VALUE, n -> {});
    System.out.printf("convert: %.1f s%n", (System.nanoTime() - start) / 1e9);
    System.out.printf(
        Locale.ROOT,
        "own.parquet: %.4f of the pictures' bytes%n",
        Files.size(table) / (double) bytes);
    Path other = work.resolve("other.parquet");
    writeAsOthers(set, other, 100);
    measure("folder", set, set::encoded, ROUNDS);
    measure("decoding", set, i -> new byte[set.picture(i).width()], 1);
    EncodedDataset own = open(table.toString());
    measure("Parquet of convert", own, own::encoded, ROUNDS);
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(other.toUri());
    var local = HadoopFiles.of(path);
    PictureFile groups =
        PictureFile.open(local, local.getFileStatus(path), other.toString(), new RowGroupCache(0));
    measure("Parquet in row groups of 100, none kept", set, groups::picture, 1);
    MiniDFSCluster hdfs =
        new MiniDFSCluster.Builder(new Configuration(), work.resolve("hdfs").toFile())
            .numDataNodes(1)
            .build();
    try {
      String root = hdfs.getFileSystem().getUri().toString();
      Configuration conf = new Configuration();
      org.apache.hadoop.fs.Path there = new org.apache.hadoop.fs.Path(root + "/folder");
      FileUtil.copy(Path.of(folder).toFile(), hdfs.getFileSystem(), there, false, conf);
      new HadoopPictureStore().write(set, root + "/own.parquet", Long.MAX_VALUE, n -> {});
      start = System.nanoTime();
      EncodedDataset remote = open(there.toString());
      System.out.printf("opening the HDFS folder: %.2f s%n", (System.nanoTime() - start) / 1e9);
      measure("HDFS folder", remote, remote::encoded, ROUNDS);
      start = System.nanoTime();
      EncodedDataset pages = open(root + "/own.parquet");
      System.out.printf("opening HDFS Parquet: %.2f s%n", (System.nanoTime() - start) / 1e9);
      measure("HDFS Parquet of convert", pages, pages::encoded, ROUNDS);
    } finally {
      hdfs.shutdown();
    }
  }

  private static EncodedDataset open(String location) {
    return (EncodedDataset) Datasets.open(location, null, null);
  }

  /** In row groups of so many rows and without a page for each picture. */
  private static void writeAsOthers(EncodedDataset set, Path file, int rows) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        ParquetWriter<Group> writer =
            ExampleParquetWriter.builder(new StreamFile(out))
                .withType(PictureTable.schema())
                .withCompressionCodec(CompressionCodecName.SNAPPY)
                .withRowGroupSize(1L)
                .withMinRowCountForPageSizeCheck(rows)
                .withMaxRowCountForPageSizeCheck(rows)
                .build()) {
      for (int i = 0; i < set.size(); i++) {
        Group row = new SimpleGroup(PictureTable.schema());
        row.add(PictureTable.IMAGE, Binary.fromConstantByteArray(set.encoded(i)));
        row.add(PictureTable.LABEL, set.label(i));
        row.add(PictureTable.PATH, set.name(i));
        writer.write(row);
      }
    }
  }

  /** The median of rounds after a first one, one thread. */
  private static void measure(
      String what, EncodedDataset set, IntFunction<byte[]> reading, int rounds) {
    double[] micros = new double[rounds];
    for (int round = -1; round < rounds; round++) {
      int[] order = EpochOrder.repeated(set.size(), 1, 7, round + 1);
      long start = System.nanoTime();
      for (int i : order) {
        if (reading.apply(i).length == 0) {
          throw new IllegalStateException("an empty picture");
        }
      }
      if (round >= 0) {
        micros[round] = (System.nanoTime() - start) / 1e3 / set.size();
      }
    }
    Arrays.sort(micros);
    System.out.printf(
        Locale.ROOT,
        "%-42s %8.0f µs a picture (%.0f to %.0f)%n",
        what,
        micros[rounds / 2],
        micros[0],
        micros[rounds - 1]);
  }
}
