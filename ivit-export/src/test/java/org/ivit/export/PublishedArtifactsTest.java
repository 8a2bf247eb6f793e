package org.ivit.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** What the POMs say to those who depend on the artifacts. */
class PublishedArtifactsTest {
  private static final String BOM = "ivit-bom";

  /** What a repository asks of every POM, in its own or in its parent's. */
  private static final List<String> ASKED =
      List.of(
          "url",
          "licenses/license/name",
          "licenses/license/url",
          "developers/developer/name",
          "scm/connection",
          "scm/developerConnection",
          "scm/url");

  private static Document pom(String path) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(Sources.file(path).toFile());
  }

  private static List<String> texts(Document pom, String below) throws Exception {
    XPath xpath = XPathFactory.newInstance().newXPath();
    NodeList nodes = (NodeList) xpath.evaluate("/project/" + below, pom, XPathConstants.NODESET);
    return Stream.iterate(0, i -> i < nodes.getLength(), i -> i + 1)
        .map(i -> nodes.item(i).getTextContent().strip())
        .toList();
  }

  private static List<String> jarModules() throws Exception {
    return texts(pom("pom.xml"), "modules/module").stream().filter(m -> !m.equals(BOM)).toList();
  }

  @Test
  void theBomNamesEveryModuleInThisVersion() throws Exception {
    Document bom = pom(BOM + "/pom.xml");
    String managed = "dependencyManagement/dependencies/dependency/";
    assertThat(texts(bom, managed + "artifactId"))
        .containsExactlyInAnyOrderElementsOf(jarModules())
        .contains("ivit-core");
    assertThat(texts(bom, managed + "version")).containsOnly("${project.version}");
    assertThat(texts(bom, "version")).isEqualTo(texts(pom("pom.xml"), "version"));
  }

  @Test
  void everyModuleHasANameAndADescription() throws Exception {
    List<String> names = new ArrayList<>();
    for (String module : jarModules()) {
      Document pom = pom(module + "/pom.xml");
      assertThat(texts(pom, "name")).as(module).hasSize(1);
      assertThat(texts(pom, "description")).as(module).hasSize(1);
      names.addAll(texts(pom, "properties/ivit.module"));
      assertThat(names).as(module).endsWith(module.replace('-', '.').replaceFirst("^", "org."));
    }
    assertThat(new TreeSet<>(names)).hasSameSizeAs(jarModules());
  }

  @Test
  void whatARepositoryAsksForIsThere() throws Exception {
    for (String path : List.of("pom.xml", BOM + "/pom.xml")) {
      Document pom = pom(path);
      for (String element : ASKED) {
        assertThat(texts(pom, element)).as("%s %s", path, element).hasSize(1).doesNotContain("");
      }
    }
  }
}
