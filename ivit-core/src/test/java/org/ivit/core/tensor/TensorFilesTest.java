package org.ivit.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import org.ivit.core.InputException;
import org.ivit.core.pretrained.names.TimmNames;
import org.ivit.core.testing.Mutations;
import org.ivit.core.testing.TorchCheckpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorFilesTest {
  private static final int MUTATIONS = 2000;

  /** Heap beyond the file's size that reading may take: the copies of views, and small change. */
  private static final long MOST_ALLOCATED = 20 << 20;

  @TempDir Path folder;

  private Path write(String name, byte[] bytes) throws Exception {
    return Files.write(folder.resolve(name), bytes);
  }

  private static Map<String, byte[]> everyForm() throws Exception {
    Map<String, byte[]> forms = new LinkedHashMap<>();
    forms.put("zip.pth", PickleBuilder.zipCheckpoint());
    forms.put("legacy.pth", PickleBuilder.legacyCheckpoint());
    forms.put("stored.npz", PickleBuilder.npz(ZipEntry.STORED));
    forms.put("deflated.npz", PickleBuilder.npz(ZipEntry.DEFLATED));
    java.io.ByteArrayOutputStream safetensors = new java.io.ByteArrayOutputStream();
    Safetensors.write(safetensors, PickleBuilder.expected(), Map.of("format", "pt"));
    forms.put("model.safetensors", safetensors.toByteArray());
    return forms;
  }

  @Test
  void everyFormHoldsTheSameTensors() throws Exception {
    for (Map.Entry<String, byte[]> form : everyForm().entrySet()) {
      Map<String, Tensor> found = new LinkedHashMap<>();
      TensorFiles.open(write(form.getKey(), form.getValue()))
          .tensors()
          .forEach((name, tensor) -> found.put(name.replace("model.module.", ""), tensor));
      assertThat(found)
          .as(form.getKey())
          .containsExactlyInAnyOrderEntriesOf(PickleBuilder.expected());
    }
  }

  /** The content decides: a checkpoint may be called anything. */
  @Test
  void namesOfFilesDoNotMatter() throws Exception {
    for (byte[] form : everyForm().values()) {
      assertThat(TensorFiles.open(write("model.bin", form)).tensors()).hasSize(2);
    }
  }

  @Test
  void aFileCutAnywhereIsRefusedInOneLine() throws Exception {
    for (Map.Entry<String, byte[]> form : everyForm().entrySet()) {
      byte[] whole = form.getValue();
      for (int length = 0; length < whole.length; length++) {
        Path file = write("cut-" + form.getKey(), Arrays.copyOf(whole, length));
        assertThatThrownBy(() -> TensorFiles.open(file))
            .as("%s cut to %d", form.getKey(), length)
            .isInstanceOf(InputException.class)
            .hasMessageStartingWith(file.toString())
            .hasMessageNotContaining("\n");
      }
    }
  }

  /** Whatever the bytes, tensors or one line: no other exception, no hang, no great allocation. */
  @Test
  void mutatedFilesAreReadOrRefused() throws Exception {
    Random random = new Random(20261123);
    for (Map.Entry<String, byte[]> form : everyForm().entrySet()) {
      int refused = 0;
      for (int i = 0; i < MUTATIONS; i++) {
        byte[] bytes = Mutations.mutated(form.getValue(), random);
        Path file = write("mutated", bytes);
        long before = Mutations.allocated();
        try {
          long elements = 0;
          for (Tensor tensor : TimmNames.of(TensorFiles.open(file)).tensors().values()) {
            elements += tensor.size();
          }
          assertThat(elements).isLessThan(1 << 24);
        } catch (InputException e) {
          refused++;
          assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(2000);
        } catch (RuntimeException | Error e) {
          throw new AssertionError(form.getKey() + ", mutation " + i, e);
        }
        assertThat(Mutations.allocated() - before)
            .as("%s, mutation %d", form.getKey(), i)
            .isLessThan(bytes.length + MOST_ALLOCATED);
      }
      assertThat(refused).as(form.getKey()).isBetween(MUTATIONS / 10, MUTATIONS);
    }
  }

  @Test
  void aZipBombIsRefusedBeforeItIsInflated() throws Exception {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("w.npy", new byte[64 << 20]);
    Path bomb = write("bomb.npz", PickleBuilder.zipOf(entries, ZipEntry.DEFLATED));
    assertThatThrownBy(() -> TensorFiles.open(bomb))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("expands to");
  }

  @Test
  void shardsAreJoined() throws Exception {
    Map<String, Tensor> all = PickleBuilder.expected();
    Safetensors.write(
        folder.resolve("model-1.safetensors"), Map.of("a.weight", all.get("a.weight")), Map.of());
    Safetensors.write(
        folder.resolve("model-2.safetensors"), Map.of("a.bias", all.get("a.bias")), Map.of());
    Path index =
        Files.writeString(
            folder.resolve("model.safetensors.index.json"),
            """
            {"metadata": {"total_size": 36}, "weight_map":
             {"a.weight": "model-1.safetensors", "a.bias": "model-2.safetensors"}}
            """);
    assertThat(TensorFiles.open(index).tensors()).isEqualTo(all);
    assertThat(TensorFiles.open(folder).tensors()).isEqualTo(all);

    Files.writeString(index, "{\"weight_map\": {\"a.weight\": \"../elsewhere.safetensors\"}}");
    assertThatThrownBy(() -> TensorFiles.open(index))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("../elsewhere.safetensors");
    Files.writeString(index, "{\"weight_map\": {\"a.bias\": \"model-1.safetensors\"}}");
    assertThatThrownBy(() -> TensorFiles.open(index))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a.bias");
    Files.writeString(index, "{\"weight_map\": {\"a.bias\": \"model-9.safetensors\"}}");
    assertThatThrownBy(() -> TensorFiles.open(index))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("model-9.safetensors: no such file");
  }

  /** As folders of before safetensors have them. */
  @Test
  void aFolderMayHavePyTorchsFilesWholeOrInShards() throws Exception {
    Path folder = Files.createDirectory(this.folder.resolve("bin"));
    Map<String, Tensor> all = PickleBuilder.expected();
    Files.write(
        folder.resolve("pytorch_model-1.bin"),
        TorchCheckpoint.zip(Map.of("a.weight", all.get("a.weight"))));
    Files.write(
        folder.resolve("pytorch_model-2.bin"),
        TorchCheckpoint.zip(Map.of("a.bias", all.get("a.bias"))));
    Path index =
        Files.writeString(
            folder.resolve("pytorch_model.bin.index.json"),
            """
            {"weight_map": {"a.weight": "pytorch_model-1.bin", "a.bias": "pytorch_model-2.bin"}}
            """);
    assertThat(TensorFiles.open(folder).tensors()).isEqualTo(all);
    Files.write(folder.resolve("pytorch_model.bin"), TorchCheckpoint.zip(all));
    assertThat(TensorFiles.open(folder).tensors()).isEqualTo(all);
    assertThat(TensorFiles.file(folder)).isEqualTo(folder.resolve("pytorch_model.bin"));

    Files.writeString(index, "{\"weight_map\": {\"a\": \"pytorch_model.bin.index.json\"}}");
    assertThatThrownBy(() -> TensorFiles.open(index))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("pytorch_model.bin.index.json: is a text");
  }

  @Test
  void foldersAndOtherFilesAreRefused() throws Exception {
    assertThatThrownBy(() -> TensorFiles.open(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a folder without model.safetensors");
    assertThatThrownBy(() -> TensorFiles.open(folder.resolve("none")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no such file");
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("readme.txt", new byte[3]);
    Path zip = write("some.zip", PickleBuilder.zipOf(entries, ZipEntry.STORED));
    assertThatThrownBy(() -> TensorFiles.open(zip))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("without PyTorch's data.pkl or NumPy's *.npy");
  }
}
