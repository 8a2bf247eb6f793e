package org.ivit.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.util.Utils;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.testing.ClearedProperties;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class IvitModelTest {
  @RegisterExtension final ClearedProperties properties = new ClearedProperties("ivit.cuda.driver");

  @TempDir Path folder;

  private Path file;

  @BeforeEach
  void write() {
    file = SmallModels.write(folder, "net");
  }

  private static Model model(String name) {
    return Model.newInstance(name, Device.cpu(), IvitEngine.NAME);
  }

  private static void loaded(Model model) {
    assertThat(IvitBlock.of(model).checkpoint().classes()).hasSize(3);
  }

  private static List<String> synset(Model model) throws IOException {
    return model.getArtifact("synset.txt", Utils::readLines);
  }

  @Test
  void loadsAFile() throws Exception {
    try (Model model = model("any")) {
      model.load(file);
      loaded(model);
      assertThat(model.getModelPath()).isEqualTo(folder.toAbsolutePath());
    }
  }

  @Test
  void loadsAStream() throws Exception {
    try (Model model = model("any");
        InputStream in = Files.newInputStream(file)) {
      model.load(in);
      loaded(model);
      assertThat(synset(model)).hasSize(3);
    }
  }

  @Test
  void findsTheOnlyCheckpointOfAFolder() throws Exception {
    Files.writeString(folder.resolve("serving.properties"), "engine=IVIT");
    try (Model model = model("any")) {
      model.load(folder);
      loaded(model);
    }
  }

  @Test
  void findsTheCheckpointThatIsCalledAsTheModelOrThePrefix() throws Exception {
    SmallModels.write(folder, "features", SmallModels.features());
    try (Model byModel = model("net");
        Model byPrefix = model("features");
        Model byFile = model("features")) {
      byModel.load(folder);
      loaded(byModel);
      byPrefix.load(folder, "net");
      loaded(byPrefix);
      byFile.load(folder, "net.ivit.safetensors");
      loaded(byFile);
    }
  }

  @Test
  void findsTheCheckpointThatIsCalledAsTheFolder() throws Exception {
    SmallModels.write(folder, "other");
    SmallModels.write(folder, folder.getFileName().toString(), SmallModels.features());
    try (Model model = model("any")) {
      model.load(folder);
      assertThat(IvitBlock.of(model).checkpoint().classes()).isEmpty();
    }
  }

  @Test
  void saysWhatItFoundInsteadOfOneCheckpoint() throws Exception {
    SmallModels.write(folder, "other");
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Files.writeString(empty.resolve("readme.txt"), "");
    try (Model model = model("any")) {
      assertThatThrownBy(() -> model.load(folder))
          .isInstanceOf(FileNotFoundException.class)
          .hasMessage(
              folder
                  + ": found net.ivit.safetensors, other.ivit.safetensors,"
                  + " expected one *.ivit.safetensors, or a prefix");
      assertThatThrownBy(() -> model.load(folder, "third"))
          .isInstanceOf(FileNotFoundException.class)
          .hasMessageEndingWith("expected one called third");
      assertThatThrownBy(() -> model.load(empty))
          .isInstanceOf(FileNotFoundException.class)
          .hasMessageContaining("found no *.ivit.safetensors");
      assertThatThrownBy(() -> model.load(folder.resolve("gone")))
          .isInstanceOf(FileNotFoundException.class)
          .hasMessage(folder.resolve("gone") + ": no such file or folder");
    }
  }

  @Test
  void saysInOneLineThatAFileIsDamaged() throws Exception {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    try (Model model = model("any")) {
      assertThatThrownBy(() -> model.load(file))
          .isInstanceOf(MalformedModelException.class)
          .hasMessageStartingWith(file.toString())
          .hasMessageNotContaining("\n");
      // Another file may follow.
      model.load(SmallModels.write(folder, "whole"));
      loaded(model);
    }
  }

  @Test
  void isLoadedOnce() throws Exception {
    try (Model model = model("any")) {
      model.load(file);
      assertThatThrownBy(() -> model.load(file)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void optionsChooseTheEngine() throws Exception {
    try (Model reference = model("any");
        Model java = model("any")) {
      reference.load(file, null, Map.of("engine", "reference", "modelName", "x", "thread", "3"));
      assertThat(IvitBlock.of(reference).engine().name()).isEqualTo("reference");
      java.load(file, null, Map.of("engine", "cpu", "kernels", "java", "threads", "1"));
      assertThat(IvitBlock.of(java).engine().description())
          .contains("portable Java")
          .contains("1 thread");
    }
  }

  @Test
  void optionsThatCannotBeUsedAreRefused() throws Exception {
    try (Model model = model("any")) {
      assertThatThrownBy(() -> model.load(file, null, Map.of("threads", "many")))
          .isInstanceOf(InputException.class)
          .hasMessage("option threads: 'many', expected a number from 0 to 1024");
      assertThatThrownBy(() -> model.load(file, null, Map.of("engine", "fpga")))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("'fpga', expected one of cpu, cuda, reference");
    }
  }

  @Test
  void aGpuIsRefusedInOneLineWhereNoneIs() throws Exception {
    System.setProperty("ivit.cuda.driver", folder.resolve("no-driver.so").toString());
    try (Model model = Model.newInstance("any", Device.gpu(1), IvitEngine.NAME)) {
      assertThatThrownBy(() -> model.load(file))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("no-driver.so")
          .hasMessageNotContaining("\n");
      assertThatThrownBy(() -> model.load(file, null, Map.of("engine", "cpu")))
          .isInstanceOf(InputException.class)
          .hasMessage("option engine: 'cpu', expected cuda on device gpu(1)");
    }
  }

  @Test
  void aPredictorRunsWhereTheModelRuns() throws Exception {
    try (Model model = SmallModels.load(file)) {
      assertThatThrownBy(() -> model.newPredictor(new NoopTranslator(), Device.gpu()))
          .isInstanceOf(InputException.class)
          .hasMessage("device: found gpu(0), expected cpu(), which model small runs on");
    }
  }

  @Test
  void classNamesAreTheSynsetUnlessAFileLiesBeside() throws Exception {
    try (Model model = SmallModels.load(file)) {
      assertThat(synset(model)).isEqualTo(List.of("n1 cat", "n2 dog", "n3 cat"));
      assertThatThrownBy(() -> model.getArtifactAsStream("other.txt"))
          .isInstanceOf(FileNotFoundException.class);
    }
    Files.writeString(folder.resolve("synset.txt"), "a\nb\nc");
    try (Model model = SmallModels.load(file)) {
      assertThat(synset(model)).isEqualTo(List.of("a", "b", "c"));
    }
  }

  @Test
  void describesInputAndOutput() throws Exception {
    try (Model model = SmallModels.load(file);
        Model features = SmallModels.load(SmallModels.write(folder, "f", SmallModels.features()))) {
      assertThat(model.describeInput().get("input")).isEqualTo(new Shape(-1, 3, 8, 8));
      assertThat(model.describeOutput().get("logits")).isEqualTo(new Shape(-1, 3));
      assertThat(features.describeOutput().get("features")).isEqualTo(new Shape(-1, 8));
    }
  }

  @Test
  void doesNotSave() throws Exception {
    try (Model model = SmallModels.load(file)) {
      assertThatThrownBy(() -> model.save(folder, "again"))
          .isInstanceOf(UnsupportedOperationException.class);
    }
  }

  @Test
  void answersNothingWhenItIsClosed() throws Exception {
    Model model = SmallModels.load(file);
    Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator());
    IvitBlock block = IvitBlock.of(model);
    model.close();
    model.close();
    assertThatThrownBy(() -> block.engine().logits(new byte[3 * 64], 1))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(
            () ->
                predictor.predict(
                    new NDList(model.getNDManager().zeros(new Shape(1, 8, 8, 3), DataType.UINT8))))
        .isInstanceOfAny(TranslateException.class, IllegalStateException.class);
  }
}
