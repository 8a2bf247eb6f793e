package org.ivit.export.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class NextCommandTest {
  @Test
  void quotesWhatAShellWouldTakeApart() {
    assertThat(NextCommand.of("export", "--run", Path.of("runs/ptq-8.1"), "--output", "\u00fc.st"))
        .isEqualTo("next: scripts/ivit export --run runs/ptq-8.1 --output \u00fc.st");
    assertThat(NextCommand.of("predict", "my model", "it's", "$HOME", ""))
        .isEqualTo("next: scripts/ivit predict 'my model' 'it'\\''s' '$HOME' ''");
  }
}
