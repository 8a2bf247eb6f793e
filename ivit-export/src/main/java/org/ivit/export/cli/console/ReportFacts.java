package org.ivit.export.cli.console;

import java.util.Map;
import org.ivit.core.checkpoint.SourceDate;
import org.ivit.core.engine.Backend;
import org.ivit.export.model.Model;

/** What every report says of how it came to be. */
public final class ReportFacts {
  private ReportFacts() {}

  /**
   * Adds kernels, processor, date, version and Java.
   *
   * @param facts what is known of models and data
   * @return the same map
   */
  public static Map<String, String> add(Map<String, String> facts, Backend backend) {
    facts.put("kernels", backend.line());
    facts.put("processor", backend.processor() + ", " + backend.threads() + " threads");
    facts.put("date", SourceDate.text());
    facts.put("version", "ivit " + IvitVersion.text());
    facts.put("Java", System.getProperty("java.vm.name") + " " + Runtime.version());
    return facts;
  }

  /**
   * Adds what identifies a model.
   *
   * @param what it is called, such as {@code against}
   */
  public static void identify(Map<String, String> facts, String what, Model model) {
    facts.put(what, model.identity().path());
    facts.put("file SHA-256 of " + what, model.identity().sha256());
    if (!model.identity().digest().isEmpty()) {
      facts.put("digest of " + what, model.identity().digest());
    }
    facts.put(
        "kind of " + what,
        "%s, %s, engine %s"
            .formatted(model.identity().kind(), model.identity().architecture(), model.engine()));
  }
}
