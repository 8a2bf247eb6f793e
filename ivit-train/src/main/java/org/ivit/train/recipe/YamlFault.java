package org.ivit.train.recipe;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.dataformat.yaml.snakeyaml.error.MarkedYAMLException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ivit.core.MessageText;

/** What is wrong with a YAML text, in words for who wrote it. */
final class YamlFault {
  private static final Pattern DUPLICATE = Pattern.compile("Duplicate field '(.*)'.*");

  private YamlFault() {}

  /**
   * @param e what Jackson's parser, or SnakeYAML below it, threw
   * @return {@code line N: what was found, what was expected}
   */
  @SuppressWarnings("deprecation") // still what Jackson throws, and the only one with a mark
  static String of(JacksonException e) {
    int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
    String problem = MessageText.problem(e);
    // The parser's own place is that of the last token before; the mark is that of the fault.
    if (e instanceof MarkedYAMLException marked && marked.getProblemMark() != null) {
      line = marked.getProblemMark().getLine() + 1;
      problem = marked.getProblem();
    }
    Matcher duplicate = DUPLICATE.matcher(problem);
    if (duplicate.matches()) {
      problem = "found the key " + MessageText.quote(duplicate.group(1)) + " twice, expected once";
    } else if (problem.contains("(TAB)")) {
      problem = "found a tab, expected spaces";
    } else {
      problem = "not valid YAML: " + MessageText.line(problem);
    }
    return (line > 0 ? "line " + line + ": " : "") + problem;
  }
}
