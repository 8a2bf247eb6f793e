package org.ivit.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.jna.Library;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.engine.jni.NativeEngine;
import org.junit.jupiter.api.Test;

/**
 * What is said to GraalVM's native images of this module is true and whole: the classes that
 * Jackson binds, resources, interfaces of JNA. Native methods are linked by their names and need
 * nothing said, as long as C calls no Java.
 */
class NativeImageMetadataTest {
  private static final String FOLDER = "META-INF/native-image/org.ivit/ivit-core/";
  private static final String OWN = "org.ivit.";

  private static JsonNode metadata(String file) throws IOException {
    return new ObjectMapper()
        .readTree(NativeEngine.class.getClassLoader().getResourceAsStream(FOLDER + file));
  }

  private static Path classes() throws URISyntaxException {
    return Path.of(
        InputException.class.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private static List<String> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString().replace('\\', '/'))
          .toList();
    }
  }

  /** The own classes that are bound where one is: components, what they permit, arguments. */
  private static void bound(Type type, Set<String> names) {
    if (type instanceof ParameterizedType generic) {
      Stream.of(generic.getActualTypeArguments()).forEach(argument -> bound(argument, names));
    } else if (type instanceof Class<?> one
        && one.getName().startsWith(OWN)
        && names.add(one.getName())) {
      if (one.isRecord()) {
        for (RecordComponent component : one.getRecordComponents()) {
          bound(component.getGenericType(), names);
        }
      }
      if (one.isSealed()) {
        Stream.of(one.getPermittedSubclasses()).forEach(subclass -> bound(subclass, names));
      }
    }
  }

  @Test
  void everyClassThatJacksonBindsOrJnaLooksIntoIsListed() throws IOException {
    Set<String> expected = new TreeSet<>();
    List.of(GraphDescription.class, Provenance.class, Architecture.class)
        .forEach(root -> bound(root, expected));
    for (JsonNode entry : metadata("jni-config.json")) {
      expected.add(entry.get("name").textValue());
    }
    assertThat(expected).hasSizeGreaterThan(20);
    List<String> listed = new ArrayList<>();
    for (JsonNode entry : metadata("reflect-config.json")) {
      listed.add(entry.get("name").textValue());
      for (String flag :
          List.of(
              "allDeclaredConstructors",
              "allDeclaredFields",
              "allDeclaredMethods",
              "allRecordComponents",
              "allPermittedSubclasses")) {
        assertThat(entry.path(flag).booleanValue()).as("%s %s", entry, flag).isTrue();
      }
    }
    assertThat(listed).containsExactlyElementsOf(expected);
  }

  /** JNA finds them by reflection and registers them by JNI; what the C of this jar has, not. */
  @Test
  void everyNativeMethodOfJnaIsListed() throws Exception {
    Set<String> expected = new TreeSet<>();
    for (Class<?> type : cudaClasses()) {
      if (Stream.of(type.getDeclaredMethods()).anyMatch(m -> Modifier.isNative(m.getModifiers()))) {
        expected.add(type.getName());
      }
    }
    List<String> listed = new ArrayList<>();
    for (JsonNode entry : metadata("jni-config.json")) {
      listed.add(entry.get("name").textValue());
      assertThat(entry.path("allDeclaredMethods").booleanValue()).isTrue();
    }
    assertThat(listed).isNotEmpty().containsExactlyElementsOf(expected);
  }

  private static List<Class<?>> cudaClasses() throws Exception {
    List<Class<?>> types = new ArrayList<>();
    for (String file : files(classes())) {
      if (file.startsWith("org/ivit/core/cuda/") && file.endsWith(".class")) {
        types.add(
            Class.forName(
                file.substring(0, file.length() - ".class".length()).replace('/', '.'),
                false,
                InputException.class.getClassLoader()));
      }
    }
    return types;
  }

  @Test
  void everyResourceOfTheJarIsIncludedAndNothingElseIsNamed() throws Exception {
    List<Pattern> patterns =
        StreamSupport.stream(
                metadata("resource-config.json").at("/resources/includes").spliterator(), false)
            .map(include -> Pattern.compile(include.get("pattern").textValue()))
            .toList();
    List<String> resources =
        files(classes()).stream()
            .filter(file -> !file.endsWith(".class") && !file.startsWith("META-INF/"))
            .toList();
    assertThat(resources)
        .contains("cuda/kernels.properties", "org/ivit/core/engine/jni/kernel_sets")
        .allMatch(file -> patterns.stream().anyMatch(p -> p.matcher(file).matches()));
    // A build without compilers has notes in place of libraries.
    List<String> possible =
        Stream.concat(
                resources.stream(),
                Stream.of("native/linux-x86_64/libivit.so", "native/linux-aarch64/libivit.skipped"))
            .toList();
    assertThat(patterns)
        .allMatch(p -> possible.stream().anyMatch(file -> p.matcher(file).matches()));
  }

  @Test
  void everyInterfaceOfJnaIsAProxy() throws Exception {
    Set<String> expected = new TreeSet<>();
    for (Class<?> type : cudaClasses()) {
      if (type.isInterface() && Library.class.isAssignableFrom(type)) {
        expected.add(type.getName());
      }
    }
    List<String> listed = new ArrayList<>();
    for (JsonNode entry : metadata("proxy-config.json")) {
      assertThat(entry.get("interfaces")).hasSize(1);
      listed.add(entry.get("interfaces").get(0).textValue());
    }
    assertThat(listed).isNotEmpty().containsExactlyElementsOf(expected);
  }

  @Test
  void nativeCodeCallsNoJava() throws IOException {
    String source = Files.readString(Path.of("src/main/native/jni.c"));
    assertThat(source)
        .contains("JNIEXPORT")
        .doesNotContainPattern(
            "\\b(FindClass|GetObjectClass|Get\\w*(Method|Field)ID|Throw(New)?)\\b");
  }
}
