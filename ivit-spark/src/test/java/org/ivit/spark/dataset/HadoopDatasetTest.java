package org.ivit.spark.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.ivit.spark.Tiny.run;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.ivit.core.InputException;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.EncodedDataset;
import org.ivit.core.io.Digests;
import org.ivit.export.cluster.Cluster;
import org.ivit.export.cluster.Clusters;
import org.ivit.spark.Tiny;
import org.ivit.spark.Tiny.Outcome;
import org.ivit.train.loop.Trainer;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.run.RunDirectory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures on HDFS: a name node and a data node in this process. */
class HadoopDatasetTest {
  private static final String RETRIES = "spark.hadoop.ipc.client.connect.max.retries";

  @TempDir static Path folder;
  private static MiniDFSCluster hdfs;
  private static FileSystem files;
  private static String root;
  private static Path pictures;

  @BeforeAll
  static void start() throws IOException {
    Tiny.assumeJava();
    Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
    File base = Files.createDirectory(folder.resolve("hdfs")).toFile();
    hdfs = new MiniDFSCluster.Builder(new Configuration(), base).numDataNodes(1).build();
    files = hdfs.getFileSystem();
    root = files.getUri().toString();
    pictures = Tiny.draw(folder.resolve("pictures"), 5);
    Files.move(pictures.resolve("c/3.png"), pictures.resolve("c/a b%20ü.png"));
    FileUtil.copy(pictures.toFile(), files, path("/pictures"), false, new Configuration());
    System.setProperty(RETRIES, "1");
  }

  @AfterAll
  static void stop() {
    System.clearProperty(RETRIES);
    if (hdfs != null) {
      hdfs.shutdown();
    }
  }

  private static org.apache.hadoop.fs.Path path(String name) {
    return new org.apache.hadoop.fs.Path(root + name);
  }

  private static EncodedDataset open(String location) {
    return (EncodedDataset) Datasets.open(location, null, null);
  }

  private static String digest(RunDirectory run) {
    return Digests.file(
        run.path()
            .resolve("checkpoints/" + run.latest().state().step())
            .resolve("weights.safetensors"));
  }

  private static List<String> names(String folder) throws IOException {
    List<String> names = new ArrayList<>();
    for (FileStatus file : files.listStatus(path(folder))) {
      names.add(file.getPath().getName());
    }
    return names;
  }

  @Test
  void answersAndLearnsAsFromTheFolder() throws IOException {
    String there = root + "/pictures";
    String tables = root + "/converted/tables";
    run("convert", "--data", there, "--output", tables).done();
    run("convert", "--data", pictures, "--output", root + "/converted/one.parquet").done();
    assertThat(names("/converted")).containsExactlyInAnyOrder("tables", "one.parquet");
    run("convert", "--data", pictures, "--output", tables).refused(tables + ": exists");

    RunDirectory run =
        Trainer.start(
            Tiny.recipe(folder, "here", pictures, "schedule.epochs=1"), TrainingMonitor.SILENT);
    RunDirectory remote =
        Trainer.start(
            Tiny.recipe(
                folder,
                "there",
                there,
                "schedule.epochs=1",
                "data.validation={path: '" + tables + "', limit: 8}",
                "quantization.calibration.data=" + root + "/converted/one.parquet"),
            TrainingMonitor.SILENT);
    assertThat(digest(remote)).isEqualTo(digest(run));

    Path model = folder.resolve("model.ivit.safetensors");
    run("export", "--run", remote.path(), "--output", model).done();
    List<String> logits = new ArrayList<>();
    String spark = "--spark=local-cluster[2,1,1024]";
    for (List<String> args :
        List.of(
            List.of(pictures.toString()), List.of(there), List.of(tables), List.of(there, spark))) {
      Path output = folder.resolve("logits" + logits.size());
      Stream<Object> fixed =
          Stream.of("evaluate", "--model", model, "--logits", output, "--batch", 4, "--data");
      run(Stream.concat(fixed, args.stream()).toArray()).done();
      logits.add(Digests.file(output));
    }
    assertThat(logits).hasSize(4).containsOnly(logits.get(0));
  }

  @Test
  void executorsLearnFromHdfs() throws IOException {
    String one = root + "/executors.parquet";
    run("convert", "--data", pictures, "--output", one).done();
    RunDirectory here =
        Trainer.start(
            Tiny.recipe(folder, "alone", pictures, "schedule.epochs=1"), TrainingMonitor.SILENT);
    try (Cluster cluster = Clusters.spark("local-cluster[1,2,1024]")) {
      RunDirectory run =
          Trainer.start(
              Tiny.recipe(folder, "executor", one, "schedule.epochs=1"),
              cluster,
              Gpu.FIRST,
              TrainingMonitor.SILENT);
      assertThat(digest(run)).isEqualTo(digest(here));
    }
  }

  @Test
  void readsByPositionThroughInterrupts() throws Exception {
    String one = root + "/interrupted.parquet";
    run("convert", "--data", pictures, "--output", one).done();
    try (EncodedDataset here = open(pictures.toString());
        EncodedDataset set = open(one)) {
      Interrupter.readAndInterrupt(set, 20);
      for (int i = set.size() - 1; i >= 0; i--) {
        assertThat(set.name(i)).isEqualTo(here.name(i));
        assertThat(set.encoded(i)).isEqualTo(here.encoded(i));
      }
    }
  }

  @Test
  void leavesNothingHalfWritten() throws IOException {
    Path gone = Tiny.draw(folder.resolve("gone"), 1);
    try (EncodedDataset set = open(gone.toString())) {
      Files.delete(gone.resolve("h/0.png"));
      for (String name : List.of("/half/out.parquet", "/half/out")) {
        assertThatThrownBy(() -> new HadoopPictureStore().write(set, root + name, 1000, n -> {}))
            .isInstanceOf(InputException.class)
            .hasMessageContaining("h/0.png: cannot be read");
      }
    }
    assertThat(names("/half")).isEmpty();
  }

  @Test
  void refusesInOneLine() throws IOException {
    Object[] evaluate = {
      "evaluate", "--model", Tiny.weights(folder), "--architecture", Tiny.ARCHITECTURE, "--data"
    };
    files.mkdirs(path("/hollow"));
    files.mkdirs(path("/hollow class/a"));
    files.create(path("/a file")).close();
    files.create(path("/empty.parquet")).close();
    refused(evaluate, "/hollow", "found no class folder, expected one each");
    refused(evaluate, "/hollow class", "/a: found no picture directly in this class folder");
    refused(evaluate, "/a file", "found a file, expected a folder of pictures or a file .parquet");
    refused(evaluate, "/empty.parquet", "cannot be read as a Parquet file");
    refused(evaluate, "/none", "no such file or folder");
    for (String unreachable : List.of("hdfs://localhost:1/x", "hdfs://no.such.host.invalid/x")) {
      run(Stream.concat(Stream.of(evaluate), Stream.of(unreachable)).toArray())
          .refused(unreachable + ": cannot be reached or read: ");
      run("convert", "--data", pictures, "--output", unreachable)
          .refused(unreachable + ": cannot be reached or read: ");
      assertThat(Datasets.exists(unreachable)).isFalse();
    }
    for (String unknown : List.of("s3a://bucket/x", "nosuch://host/x")) {
      run(Stream.concat(Stream.of(evaluate), Stream.of(unknown)).toArray())
          .refused(unknown + ": found no file system of this kind on the class path");
    }
    run("train", "--config", recipe("hdfs://localhost:1/x"))
        .refused("hdfs://localhost:1/x: cannot be reached");
    assertThat(Datasets.exists(root + "/pictures")).isTrue();
    assertThat(Datasets.exists(root + "/none")).isFalse();
  }

  private static void refused(Object[] command, String location, String message) {
    run(Stream.concat(Stream.of(command), Stream.of(root + location)).toArray())
        .refused(root + location, message);
  }

  private static Path recipe(String data) throws IOException {
    return Files.writeString(
        folder.resolve("recipe.yaml"), Tiny.recipe(folder, "unreachable", data).toYaml());
  }

  @Test
  void aFailingFileSystemIsNoBadPicture() throws IOException {
    BrokenFileSystem.register();
    String folders = "broken:" + pictures;
    String one = "broken:" + folder.resolve("broken.parquet");
    try {
      run("convert", "--data", folders, "--output", one).done();
      try (EncodedDataset pictures = open(folders);
          EncodedDataset table = open(one)) {
        assertThat(table.encoded(1)).isEqualTo(pictures.encoded(1));
        BrokenFileSystem.cut = true;
        for (EncodedDataset set : List.of(pictures, table)) {
          assertThatThrownBy(() -> set.encoded(0))
              .isInstanceOf(UncheckedIOException.class)
              .hasMessageContaining("a/0.png: cannot be reached or read: the network is cut");
        }
        Outcome convert = run("convert", "--data", folders, "--output", folder.resolve("cut"));
        assertThat(convert.code()).isEqualTo(1);
        assertThat(convert.err())
            .isEqualTo(
                "ivit: " + folders + "/a/0.png: cannot be reached or read: the network is cut\n");
        assertThat(folder.resolve("cut")).doesNotExist();
      }
    } finally {
      BrokenFileSystem.unregister();
    }
  }
}
