package org.ivit.core.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Cifar10Test {
  private static byte[] records(int count, int firstLabel) {
    byte[] bytes = new byte[count * 3073];
    for (int i = 0; i < count; i++) {
      bytes[i * 3073] = (byte) ((firstLabel + i) % 10);
      for (int p = 0; p < 1024; p++) {
        bytes[i * 3073 + 1 + p] = (byte) (p + i);
        bytes[i * 3073 + 1025 + p] = (byte) (p / 32);
        bytes[i * 3073 + 2049 + p] = (byte) 255;
      }
    }
    return bytes;
  }

  @Test
  void readsBatchesInOrder(@TempDir Path folder) throws IOException {
    for (int i = 1; i <= 5; i++) {
      Files.write(folder.resolve("data_batch_" + i + ".bin"), records(i, i));
    }
    Files.write(folder.resolve("test_batch.bin"), records(2, 9));
    assertThat(Datasets.exists(folder + "/train")).isTrue();
    assertThat(Datasets.exists(folder + "/other")).isFalse();
    Dataset train = Datasets.open(folder + "/train", null, null);
    assertThat(train.size()).isEqualTo(15);
    assertThat(train.classNames()).hasSize(10).startsWith("airplane", "automobile");
    assertThat(train.name(2)).isEqualTo("data_batch_2.bin/00001");
    assertThat(train.label(2)).isEqualTo(3);
    assertThat(train.label(14)).isEqualTo(9);
    assertThat(train.picture(2).at(5, 3, 0)).isEqualTo((5 + 3 * 32 + 1) & 0xff);
    assertThat(train.picture(2).at(5, 3, 1)).isEqualTo(3);
    assertThat(train.picture(2).at(5, 3, 2)).isEqualTo(255);
    Dataset test = Datasets.open(folder + "/test", null, null);
    assertThat(test.label(0)).isEqualTo(9);
    assertThat(test.label(1)).isZero();
    assertThat(Datasets.open(folder + "/test_batch.bin", null, null).size()).isEqualTo(2);
    assertThatThrownBy(() -> Datasets.open(folder.toString(), null, null))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("/train or /test");
  }

  @Test
  void lengthAndLabelsAreChecked(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("test_batch.bin");
    assertThatThrownBy(() -> Cifar10.test(folder))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("test_batch.bin");
    Files.write(file, new byte[3072]);
    assertThatThrownBy(() -> new Cifar10(List.of(file)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("3072 bytes");
    byte[] bytes = records(2, 0);
    bytes[3073] = 10;
    Files.write(file, bytes);
    assertThatThrownBy(() -> new Cifar10(List.of(file)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("record 1 has the label 10");
  }
}
