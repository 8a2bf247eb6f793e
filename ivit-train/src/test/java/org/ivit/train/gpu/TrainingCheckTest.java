package org.ivit.train.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code scripts/gpu-check} runs, on an emulated GPU and at micro size. */
class TrainingCheckTest {
  private static final String DRIVER = "ivit.cuda.driver";

  @TempDir Path folder;

  @BeforeEach
  void emulate() {
    String library = System.getProperty("ivit.cuda.emulator", "none");
    assumeTrue(Files.exists(Path.of(library)), "skipped: no C++ compiler, so no emulator of CUDA");
    System.setProperty(DRIVER, library);
  }

  @AfterEach
  void stop() {
    System.clearProperty(DRIVER);
  }

  @Test
  void passes() throws IOException {
    Path json = folder.resolve("gpu.json");
    Files.writeString(json, "{\"equal\": true}");
    assertThat(TrainingCheck.run(folder.toString(), json.toString(), "micro")).isZero();
    JsonNode file = new ObjectMapper().readTree(json.toFile());
    assertThat(file.get("equal").booleanValue()).as("what was there").isTrue();
    System.out.println(file.toPrettyString());
  }
}
