package org.ivit.core.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.ivit.core.InputException;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class ImageFolderTest {
  @TempDir Path folder;
  private Path root;

  @BeforeEach
  void pictures() throws IOException {
    root = Files.createDirectory(folder.resolve("root"));
    picture(root, "cat/2.png", 2);
    picture(root, "cat/10.PNG", 10);
    picture(root, "ant/x y.png", 7);
    Files.writeString(root.resolve("cat/notes.txt"), "no picture");
    Files.writeString(root.resolve("cat/.hidden.png"), "no picture");
    Files.createDirectory(root.resolve(".cache"));
  }

  static void picture(Path root, String name, int red) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    BufferedImage image = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
    image.setRGB(0, 0, red << 16);
    ImageIO.write(image, "png", file.toFile());
  }

  private static List<String> names(Dataset dataset) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < dataset.size(); i++) {
      names.add(dataset.name(i) + "=" + dataset.label(i) + ":" + dataset.picture(i).at(0, 0, 0));
    }
    return names;
  }

  private static AbstractThrowableAssert<?, ?> refused(ThrowingCallable call) {
    return assertThatThrownBy(call).isInstanceOf(InputException.class);
  }

  @Test
  void foldersAreClassesInAlphabeticalOrder() {
    try (Dataset dataset = Datasets.open(root.toString(), null, null)) {
      assertThat(dataset.classNames()).containsExactly("ant", "cat");
      assertThat(names(dataset))
          .containsExactly("ant/x y.png=0:7", "cat/10.PNG=1:10", "cat/2.png=1:2");
    }
  }

  @Test
  void classListFixesOrderAndMayHaveMore() throws IOException {
    Path list =
        Files.writeString(folder.resolve("list.txt"), "cat\ta cat, pet\nbee\nant\tants\n\n");
    try (Dataset dataset = ImageFolder.open(root, ClassList.read(list))) {
      assertThat(dataset.classes()).isEqualTo(3);
      assertThat(dataset.classNames()).containsExactly("a cat, pet", "bee", "ants");
      assertThat(names(dataset))
          .containsExactly("ant/x y.png=2:7", "cat/10.PNG=0:10", "cat/2.png=0:2");
    }
  }

  @Test
  void folderOutsideTheListIsNamed() {
    refused(() -> ImageFolder.open(root, ClassList.of(List.of("cat", "dog"))))
        .hasMessageContaining("ant")
        .hasMessageContaining("none of the 2 classes");
  }

  @Test
  void ignoredFilesAreCountedAndTheFirstIsNamed() throws IOException {
    for (String name : List.of("ant/b.gif", "ant/a.GIF", "cat/1.tiff", "cat/README")) {
      Files.writeString(root.resolve(name), "");
    }
    String expected =
        ": 5 files ignored: 2 .gif, 1 .tiff, 1 .txt, 1 without an ending (first: ant/a.GIF),"
            + " expected .jpg, .jpeg, .png, .webp, .bmp";
    assertWarns(expected);
  }

  /** Of the folder, and of the same in a ZIP file, one warning that ends so. */
  private void assertWarns(String expected) throws IOException {
    assertThat(warnings(() -> ImageFolder.open(root, null).close()))
        .containsExactly(root + expected);
    Path zip = zip("set.zip", "");
    assertThat(warnings(() -> ImageFolder.openZip(zip, "", null).close()))
        .containsExactly(zip + expected);
  }

  /** As in Tiny ImageNet. */
  @Test
  void theOnlyFolderOfAClassHoldsItsPictures() throws IOException {
    picture(root, "bee/images/3.png", 3);
    picture(root, "bee/images/1.png", 1);
    Files.writeString(root.resolve("bee/bee_boxes.txt"), "");
    Files.createDirectories(root.resolve("bee/.images"));
    picture(root, "bee/.images/9.png", 9);
    List<String> expected =
        List.of(
            "ant/x y.png=0:7",
            "bee/images/1.png=1:1",
            "bee/images/3.png=1:3",
            "cat/10.PNG=2:10",
            "cat/2.png=2:2");
    try (Dataset dataset = ImageFolder.open(root, null);
        Dataset zipped = ImageFolder.openZip(zip("set.zip", ""), "", null)) {
      assertThat(names(dataset)).isEqualTo(expected);
      assertThat(names(zipped)).isEqualTo(expected);
    }
  }

  @Test
  void picturesBelowOthersAreCountedAndTheFirstIsNamed() throws IOException {
    picture(root, "cat/more/b.png", 1);
    picture(root, "cat/more/a.png", 1);
    Files.delete(root.resolve("cat/notes.txt"));
    String expected =
        ": 2 pictures in folders below those of their class left out (first: cat/more/a.png)";
    assertWarns(expected);
  }

  /** One level too high, or deeper than one. */
  @Test
  void severalFoldersBelowAClassAreNoClass() throws IOException {
    picture(root, "dog/a/1.png", 1);
    picture(root, "dog/b/1.png", 1);
    refused(() -> ImageFolder.open(root, null))
        .hasMessageContaining(
            "dog: found no picture directly in this class folder, but in 2 folders below it"
                + " (first: a)");
    refused(() -> ImageFolder.open(folder, null))
        .hasMessageContaining("but in 4 folders below it (first: ant)");
    picture(folder, "deep/dog/a/b/1.png", 1);
    refused(() -> ImageFolder.open(folder.resolve("deep"), null))
        .hasMessageContaining("but in 1 folders below it (first: a/b)");
  }

  private static List<String> warnings(Runnable task) {
    Logger logger = (Logger) LoggerFactory.getLogger(ImageFolder.class);
    ListAppender<ILoggingEvent> heard = new ListAppender<>();
    heard.start();
    logger.addAppender(heard);
    try {
      task.run();
    } finally {
      logger.detachAppender(heard);
    }
    return heard.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
  }

  @Test
  void webpAndBmpAreClassPictures() throws IOException {
    Files.copy(odd("lossless.webp"), root.resolve("ant/1.webp"));
    Files.copy(odd("top24.bmp"), root.resolve("ant/2.BMP"));
    Files.delete(root.resolve("cat/notes.txt"));
    List<String> warnings =
        warnings(
            () -> {
              try (Dataset dataset = ImageFolder.open(root, null)) {
                assertThat(dataset.name(0)).isEqualTo("ant/1.webp");
                assertThat(dataset.picture(0).width()).isEqualTo(37);
                assertThat(dataset.picture(1).width()).isEqualTo(19);
              }
            });
    assertThat(warnings).isEmpty();
  }

  private static InputStream odd(String name) {
    return Objects.requireNonNull(
        ImageFolderTest.class.getResourceAsStream("/image/odd/" + name), name);
  }

  @Test
  void emptyClassFolderIsNamed() throws IOException {
    Files.createDirectory(root.resolve("dog"));
    Files.writeString(root.resolve("dog/readme.txt"), "");
    refused(() -> ImageFolder.open(root, null))
        .hasMessageContaining(root.resolve("dog").toString())
        .hasMessageContaining("found no picture");
  }

  @Test
  void missingAndFlatFoldersAreNamed() throws IOException {
    refused(() -> Datasets.open(folder.resolve("none").toString(), null, null))
        .hasMessageContaining("none")
        .hasMessageContaining("no such folder");
    picture(folder, "flat/1.png", 1);
    refused(() -> ImageFolder.open(folder.resolve("flat"), null))
        .hasMessageContaining("need a label file");
  }

  @Test
  void corruptPictureIsNamed() throws IOException {
    Files.writeString(root.resolve("ant/a.jpg"), "rubbish");
    Dataset dataset = ImageFolder.open(root, null);
    refused(() -> dataset.picture(0)).hasMessageContaining(root + "/ant/a.jpg");
    assertThat(dataset.picture(1).at(0, 0, 0)).isEqualTo(7);
  }

  @Test
  void classListFilesAreChecked() throws IOException {
    Path list = folder.resolve("list.txt");
    refused(() -> ClassList.read(list)).hasMessageContaining("list.txt");
    Files.writeString(list, "\n\n");
    refused(() -> ClassList.read(list)).hasMessageContaining("found no class");
    Files.writeString(list, "a\n\nb\n");
    refused(() -> ClassList.read(list)).hasMessageContaining("line 2");
    Files.writeString(list, "a\nb\na\tagain\n");
    refused(() -> ClassList.read(list)).hasMessageContaining("'a' stands twice");
  }

  @Test
  void namesNeedNotBeUnique() throws IOException {
    Path flat = folder.resolve("flat");
    picture(flat, "a.png", 1);
    picture(flat, "b.png", 2);
    Path labels = Files.writeString(folder.resolve("labels.txt"), "a.png 0\nb.png 2\n");
    Path list = Files.writeString(folder.resolve("list.txt"), "crane\nant\ncrane\ncat\n");
    Dataset numbered = Datasets.open(flat.toString(), ClassList.read(list), labels);
    assertThat(names(numbered)).containsExactly("a.png=0:1", "b.png=2:2");
    assertThat(names(ImageFolder.open(root, ClassList.read(list))))
        .containsExactly("ant/x y.png=1:7", "cat/10.PNG=3:10", "cat/2.png=3:2");
    picture(root, "crane/1.png", 4);
    String twice = "found the class 'crane' as numbers 0 and 2 counted from 0";
    refused(() -> ImageFolder.open(root, ClassList.read(list))).hasMessageContaining(twice);
    Files.writeString(list, "n1\tcrane\nant\nn2\tcrane\ncat\n");
    ClassList identified = ClassList.read(list);
    assertThat(identified.indexOf("n2")).isEqualTo(2);
    Files.writeString(labels, "a.png\tcrane\n");
    refused(() -> Datasets.open(flat.toString(), identified, labels)).hasMessageContaining(twice);
  }

  @Test
  void zipIsReadInPlace() throws IOException {
    Path zip = zip("set.zip", "inner/set/");
    List<String> expected = names(ImageFolder.open(root, null));
    for (String location : List.of(zip + "/inner/set", zip + "!inner/set", zip + "!/inner/set/")) {
      try (Dataset dataset = Datasets.open(location, null, null)) {
        assertThat(names(dataset)).isEqualTo(expected);
      }
      assertThat(Datasets.exists(location)).isTrue();
    }
    assertThat(Datasets.exists(root.toString())).isTrue();
    assertThat(Datasets.exists(folder + "/none.zip/inner")).isFalse();
    assertThat(Datasets.exists(folder + "/none.zip!inner")).isFalse();
    try (Dataset dataset = Datasets.open(zip("flat.zip", "").toString(), null, null)) {
      assertThat(names(dataset)).isEqualTo(expected);
    }
    refused(() -> Datasets.open(zip + "/other", null, null)).hasMessageContaining("'other'");
    // One level too high, the only folder holds no pictures directly.
    refused(() -> Datasets.open(zip.toString(), null, null)).hasMessageContaining("inner");
  }

  @Test
  void damagedZipIsNamed() throws IOException {
    Path zip = zip("set.zip", "");
    byte[] bytes = Files.readAllBytes(zip);
    Path cut = Files.write(folder.resolve("cut.zip"), Arrays.copyOf(bytes, 100));
    refused(() -> Datasets.open(cut.toString(), null, null)).hasMessageContaining("cut.zip");
    Dataset good = ImageFolder.openZip(zip, "", null);
    int refusals = 0;
    for (int i = 40; i < 100; i++) {
      byte[] bad = bytes.clone();
      bad[i] ^= 0x08;
      Path file = Files.write(folder.resolve("bad.zip"), bad);
      try (Dataset dataset = ImageFolder.openZip(file, "", null)) {
        for (int k = 0; k < dataset.size(); k++) {
          assertThat(dataset.picture(k)).isEqualTo(good.picture(k));
        }
      } catch (InputException e) {
        assertThat(e).hasMessageContaining("bad.zip");
        refusals++;
      }
    }
    assertThat(refusals).isGreaterThan(10);
    good.close();
  }

  private Path zip(String name, String prefix) throws IOException {
    Path zip = folder.resolve(name);
    try (OutputStream out = Files.newOutputStream(zip);
        ZipOutputStream entries = new ZipOutputStream(out);
        Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String entry = root.relativize(file).toString().replace('\\', '/');
        entries.putNextEntry(new ZipEntry(prefix + entry));
        entries.write(Files.readAllBytes(file));
      }
    }
    return zip;
  }

  @Test
  void flatFolderTakesNumbersOrNames() throws IOException {
    Path flat = folder.resolve("flat");
    picture(flat, "b.png", 1);
    picture(flat, "a b.png", 2);
    picture(flat, "unlisted.png", 3);
    Path labels = folder.resolve("labels.txt");
    Files.writeString(labels, "b.png 2\na b.png 0\n");
    Dataset numbers = Datasets.open(flat.toString(), null, labels);
    assertThat(numbers.classNames()).containsExactly("0", "1", "2");
    assertThat(names(numbers)).containsExactly("a b.png=0:2", "b.png=2:1");
    Files.writeString(labels, "b.png\twild cat\na b.png\tant\n");
    assertThat(names(Datasets.open(flat.toString(), null, labels)))
        .containsExactly("a b.png=0:2", "b.png=1:1");
    ClassList list = ClassList.of(List.of("dog", "wild cat", "ant"));
    assertThat(names(Datasets.open(flat.toString(), list, labels)))
        .containsExactly("a b.png=2:2", "b.png=1:1");
  }

  @Test
  void labelsOfFlatPicturesInAZip() throws IOException {
    Path labels = Files.writeString(folder.resolve("labels.txt"), "2.png ant\n10.PNG cat\n");
    Path zip = zip("set.zip", "");
    for (String location : List.of(zip + "/cat", zip + "!cat")) {
      try (Dataset dataset = Datasets.open(location, null, labels)) {
        assertThat(names(dataset)).containsExactly("10.PNG=1:10", "2.png=0:2");
      }
    }
    refused(() -> Datasets.open(zip + "/ant", null, labels))
        .hasMessageContaining("labels.txt: names '2.png', which is no picture in " + zip + "/ant");
  }

  @Test
  void labelsMayHaveMoreColumnsAndAMark() throws IOException {
    Path flat = folder.resolve("flat");
    picture(flat, "b.png", 1);
    picture(flat, "a b.PNG", 2);
    Path labels = folder.resolve("labels.txt");
    ClassList list = ClassList.of(List.of("dog", "wild cat", "ant"));
    for (String text :
        List.of(
            "\ufeffb.png\twild cat\t0.5\na b.PNG\tant\t0.25\n",
            "b.png,wild cat,0.5\r\na b.PNG,ant,0.25\r\n",
            "b.png; wild cat; 3\na b.PNG; ant\n",
            "b.png 1 17 4\na b.PNG 2 0 0\n",
            "b.png wild cat\na b.PNG ant 3\n")) {
      Files.writeString(labels, text);
      assertThat(names(ImageFolder.openFlat(flat, labels, list)))
          .as(text)
          .containsExactly("a b.PNG=2:2", "b.png=1:1");
    }
    Files.writeString(labels, "b.png,wild cat,0.5\na b.PNG,ant,0.25\n");
    assertThat(ImageFolder.openFlat(flat, labels, null).classNames())
        .containsExactly("ant", "wild cat");
    Files.writeString(labels, "b.png 1 17 4\na b.PNG 2 0 0\n");
    assertThat(ImageFolder.openFlat(flat, labels, null).classes()).isEqualTo(3);
    wrong(flat, labels, "ImageId,PredictionString\nb.png,ant", list, "line 1 is 'ImageId,Pred");
  }

  @Test
  void wordNetListsNeedNoTab() throws IOException {
    Path list =
        Files.writeString(
            folder.resolve("list.txt"), "\ufeffn01440764 tench, Tinca tinca\nn01443537 goldfish\n");
    ClassList classes = ClassList.read(list);
    assertThat(classes.ids()).containsExactly("n01440764", "n01443537");
    assertThat(classes.names()).containsExactly("tench, Tinca tinca", "goldfish");
    Files.writeString(list, "n01440764 tench\ngold fish\n");
    assertThat(ClassList.read(list).ids()).containsExactly("n01440764 tench", "gold fish");
  }

  @Test
  void labelFilesAreChecked() throws IOException {
    Path flat = folder.resolve("flat");
    picture(flat, "b.png", 1);
    Path labels = folder.resolve("labels.txt");
    ClassList list = ClassList.of(List.of("ant", "cat"));
    refused(() -> ImageFolder.openFlat(flat, labels, list)).hasMessageContaining("labels.txt");
    wrong(flat, labels, "", list, "found no label");
    wrong(flat, labels, "b.png", list, "line 1");
    wrong(flat, labels, "b.png 2", list, "class '2'");
    wrong(flat, labels, "b.png dog", list, "class 'dog'");
    wrong(flat, labels, "c.png 1", list, "'c.png'");
    wrong(flat, labels, "b.png 1\nb.png 0", list, "line 2");
    wrong(flat, labels, "b.png 1\nc.png cat", null, "one kind");
  }

  private static void wrong(Path flat, Path labels, String text, ClassList list, String part)
      throws IOException {
    Files.writeString(labels, text);
    refused(() -> ImageFolder.openFlat(flat, labels, list))
        .hasMessageContaining("labels.txt")
        .hasMessageContaining(part);
  }

  @Test
  void validationPicturesHaveTheModelsClasses() {
    Path pictures = Shared.path("data/imagenet-val");
    ClassList list = ClassList.read(Shared.path("data/imagenet_classes.txt"));
    Dataset dataset = ImageFolder.open(pictures, list);
    assertThat(dataset.size()).isEqualTo(650);
    assertThat(dataset.classes()).isEqualTo(1000);
    assertThat(dataset.classNames().get(0)).isEqualTo("tench, Tinca tinca");
    assertThat(dataset.name(0)).startsWith(list.ids().get(dataset.label(0)) + "/");
    assertThat(dataset.picture(649).width()).isEqualTo(227);
  }

  @Test
  void cifarZipIsReadInPlace() {
    Path zip = Shared.path("data/cifar10.zip");
    try (Dataset dataset = Datasets.open(zip + "/test", null, null)) {
      assertThat(dataset.size()).isEqualTo(10_000);
      assertThat(dataset.classNames()).isEqualTo(Cifar10.CLASSES);
      assertThat(dataset.label(9_999)).isEqualTo(9);
      assertThat(dataset.picture(9_999).width()).isEqualTo(32);
    }
  }
}
