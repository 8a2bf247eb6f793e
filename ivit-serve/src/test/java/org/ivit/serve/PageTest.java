package org.ivit.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.ivit.serve.model.Answer;
import org.ivit.serve.model.Input;
import org.ivit.serve.model.ModelDescription;
import org.ivit.serve.model.Runner;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The page in a browser, on a server with an integer model and one that answers with floats. */
class PageTest {
  private static final String TOKEN = "a-token-of-some-length";
  private static final String INTEGERS = "integers";
  private static final String FLOATS = "floats";

  /** As many as the browser's stand-in for a camera may have. */
  private static final long CAMERA_PIXELS = 2_000_000;

  private static final String ANSWERED =
      "document.querySelectorAll('#answers article').length >= arguments[0]"
          + " && !document.querySelector('.busy')";

  /** Makes a file of the page's own from Base64. */
  private static final String FILE =
      """
      const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], arguments[1], {type: arguments[2]}));
      """;

  /** Elements with text of their own whose contrast with what is behind them is below 4.5. */
  private static final String PALE =
      """
      const channels = text => text.match(/[\\d.]+/g).map(Number);
      const light = text => {
        const [r, g, b] = channels(text).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = e => {
        for (; e; e = e.parentElement) {
          const color = getComputedStyle(e).backgroundColor;
          const [, , , alpha = 1] = channels(color);
          if (alpha > 0) return color;
        }
        return 'rgb(255, 255, 255)';
      };
      const shown = e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
      return [...document.body.querySelectorAll('*')].filter(shown).filter(e => {
        const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
      }).map(e => e.outerHTML);
      """;

  @TempDir private static Path folder;
  private static byte[] picture;
  private static Browser browser;
  private static TestServer server;
  private static Client client;

  /** An integer model that says it computes in floats. */
  private record Floats(Runner integers) implements Runner {
    @Override
    public ModelDescription description() {
      ModelDescription d = integers.description();
      return new ModelDescription(
          false,
          d.architecture(),
          d.family(),
          d.answer(),
          d.classes(),
          d.outputs(),
          1,
          d.preprocess(),
          "float",
          d.backend(),
          d.bytes(),
          d.layers());
    }

    @Override
    public List<Answer> run(List<Input> inputs) {
      return integers.run(inputs).stream().map(answer -> Answer.ofValues(answer.reals())).toList();
    }

    @Override
    public void close() {
      integers.close();
    }
  }

  @BeforeAll
  static void start() throws Exception {
    browser = Browser.start(Files.createDirectory(folder.resolve("profile")));
    picture = resource("/image/odd/grey.jpg");
    Files.write(folder.resolve("grey.jpg"), picture);
    server =
        new TestServer()
            .with(FLOATS, new Floats(model("vit_paper")))
            .with(INTEGERS, model("vit"))
            .pixels(CAMERA_PIXELS);
    client = server.start();
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
    if (browser != null) {
      browser.close();
    }
  }

  private static byte[] resource(String name) throws Exception {
    try (InputStream in = PageTest.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    }
  }

  private static Runner model(String name) throws Exception {
    Path file = folder.resolve(name + ".ivit.safetensors");
    Files.write(file, resource("/checkpoints/v1/" + name + ".ivit.safetensors"));
    return TestServer.runner(file, null);
  }

  private static String address(TestServer of) {
    return "http://127.0.0.1:" + of.port() + "/";
  }

  private static void open() {
    browser.open(address(server));
    browser.await("document.querySelectorAll('#models article').length === 2");
  }

  private static void choose(Path file) {
    browser.find("#file").sendKeys(file.toString());
  }

  private static JsonNode classified(String model) {
    return client.post("/classify?model=" + model, picture).json();
  }

  private static List<String> names(JsonNode answer) {
    return StreamSupport.stream(answer.get("top").spliterator(), false)
        .map(score -> score.get("name").asText())
        .toList();
  }

  private static String percent(JsonNode answer) {
    double probability = answer.get("top").get(0).get("probability").asDouble();
    return String.format(Locale.ROOT, "%.1f %%", 100 * probability);
  }

  /** Whatever a test did, no policy was broken, no script failed, and nobody else was asked. */
  @AfterEach
  void nothingBroke() {
    assertThat(browser.console())
        .noneMatch(line -> line.contains("Content Security Policy") || line.contains("Uncaught"));
    assertThat(
            browser.run(
                "return performance.getEntriesByType('resource').map(e => e.name)"
                    + ".filter(name => !name.startsWith(location.origin) && !name.startsWith('blob:'))"))
        .isEqualTo(List.of());
  }

  @Test
  void aChosenPictureIsAnsweredByBothModels() {
    open();
    choose(folder.resolve("grey.jpg"));
    browser.await(ANSWERED, 3);
    JsonNode integers = classified(INTEGERS);
    JsonNode floats = classified(FLOATS);
    List<String> expected = new ArrayList<>(names(integers));
    expected.addAll(names(floats));
    assertThat(browser.texts("#answers h3")).containsExactly(INTEGERS, FLOATS, "Agreement");
    assertThat(browser.texts("#answers .name")).isEqualTo(expected);
    assertThat(browser.texts("#answers .probability").get(0)).isEqualTo(percent(integers));
    assertThat(browser.texts("#answers .bar")).hasSameSizeAs(expected);
    assertThat(browser.texts("#answers .facts dd").get(0)).matches("[\\d.]+ ms: decoding .*");
    assertThat(browser.find("#status").getText())
        .startsWith(names(integers).get(0) + ", " + percent(integers) + ", in ");
    boolean same = names(integers).get(0).equals(names(floats).get(0));
    long shared = names(integers).stream().filter(names(floats)::contains).count();
    assertThat(browser.texts("[aria-label=Agreement] dd"))
        .startsWith(same ? "the same" : "not the same", shared + " in common");
    assertThat(browser.find("#picture").getAccessibleName()).isEqualTo("Picture grey.jpg");

    browser.find("#second").sendKeys("none");
    browser.await(
        "document.querySelectorAll('#answers article').length === 1 && !document.querySelector('.busy')");
    assertThat(browser.texts("#answers .name")).isEqualTo(names(integers));
  }

  /** Two answers in 7 classes, of which the second model only numbers the first. */
  @Test
  void agreementIsAboutTheFirstFiveAndAllProbabilities() {
    open();
    Object found =
        browser.run(
            """
            const scores = (...rows) => ({top: rows.map(([index, name, probability]) => ({index, id: 'n' + name, name, probability}))});
            const a = scores([0, 'a', 0.4], [1, 'b', 0.3], [2, 'c', 0.1], [3, 'd', 0.08], [4, 'e', 0.06], [5, 'f', 0.05], [6, 'g', 0.01]);
            const b = scores([1, 'b', 0.4], [0, 'class 0', 0.28], [6, 'g', 0.15], [5, 'f', 0.07], [4, 'e', 0.05], [3, 'd', 0.03], [2, 'c', 0.02]);
            return import('./agreement.js').then(({agreement, withNames}) => {
              const {same, shared, difference, name} = agreement(a, b);
              return [same, [...shared], difference.toFixed(2), name, withNames(b, a).top[1].name, withNames(a, b).top[0].name];
            });
            """);
    assertThat(found).isEqualTo(List.of(false, List.of(0L, 1L, 4L), "0.14", "g", "a", "a"));
  }

  @Test
  void theModelsAreDescribedLayerByLayer() {
    open();
    assertThat(browser.texts("#models h3")).containsExactly(FLOATS, INTEGERS);
    WebElement table = browser.find("#models article:last-child .tall");
    assertThat(table.isDisplayed()).isFalse();
    browser.find("#models article:last-child summary").click();
    assertThat(table.isDisplayed()).isTrue();
    int layers = browser.all("#models article:last-child tbody tr").size();
    assertThat(layers).isGreaterThan(4);
    assertThat(browser.texts("#models article:last-child summary"))
        .containsExactly(layers + " layers");
    JsonNode first = client.get("/api/models").json().get(1).get("layers").get(0);
    assertThat(browser.texts("#models article:last-child tbody tr:first-child > *"))
        .startsWith(first.get("name").asText(), first.get("kind").asText())
        .contains(first.get("bits").asText());
  }

  @Test
  void picturesAreDroppedPastedAndTakenFromTheCamera() {
    open();
    String bytes = Base64.getEncoder().encodeToString(picture);
    browser.run(
        FILE
            + "document.querySelector('#frame').dispatchEvent(new DragEvent('drop',"
            + " {dataTransfer: files, bubbles: true, cancelable: true}));",
        bytes,
        "dropped.jpg",
        "image/jpeg");
    browser.await(ANSWERED, 3);
    assertThat(browser.find("#file-name").getText()).isEqualTo("dropped.jpg");

    browser.run(
        FILE
            + "document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: files, bubbles: true}));",
        bytes,
        "pasted.jpg",
        "image/jpeg");
    browser.await("document.querySelector('#file-name').textContent === 'pasted.jpg'");
    browser.await(ANSWERED, 3);

    browser.find("#camera").click();
    browser.await("document.querySelector('#shoot').checkVisibility()");
    assertThat(browser.find("#picture").isDisplayed()).isFalse();
    browser.find("#shoot").click();
    browser.await("document.querySelector('#file-name').textContent === 'camera.png'");
    browser.await(ANSWERED, 3);
    assertThat(browser.find("#picture").isDisplayed()).isTrue();
    assertThat(browser.find("#video").isDisplayed()).isFalse();
    assertThat(browser.texts("#failure")).containsExactly("");
  }

  @Test
  void aPictureIsTurned() {
    open();
    choose(folder.resolve("grey.jpg"));
    browser.await("document.querySelector('#picture').naturalWidth > 0");
    String size =
        "const p = document.querySelector('#picture'); return [p.naturalWidth, p.naturalHeight]";
    List<?> before = (List<?>) browser.run(size);
    assertThat(before.get(0)).as("not a square").isNotEqualTo(before.get(1));
    String source = browser.find("#picture").getDomProperty("src");
    browser.find("#turn").click();
    browser.await(
        "document.querySelector('#picture').src !== arguments[0]"
            + " && document.querySelector('#picture').complete",
        source);
    assertThat((List<?>) browser.run(size))
        .satisfies(turned -> assertThat(List.of(turned.get(1), turned.get(0))).isEqualTo(before));
  }

  @Test
  void whatIsNoPictureIsSaidInALine() throws Exception {
    open();
    choose(Files.writeString(folder.resolve("a.txt"), "text"));
    browser.await("document.querySelector('#failure').textContent === 'a.txt is not a picture.'");
    choose(Files.writeString(folder.resolve("b.png"), "no picture"));
    browser.await("document.querySelector('#failure button') !== null");
    assertThat(browser.find("#failure div").getText()).isNotBlank().doesNotContain("\n");
    assertThat(browser.texts("#answers article")).isEmpty();
  }

  @Test
  void itWorksByKeyboardAndForScreenReaders() {
    open();
    browser.find("body").sendKeys(Keys.TAB);
    WebElement first = browser.focused();
    assertThat(first.getDomAttribute("id")).isEqualTo("choose");
    assertThat(first.getCssValue("outline-style")).isEqualTo("solid");
    for (WebElement control : browser.all("button, select, summary, .tall, main section")) {
      if (control.isDisplayed()) {
        assertThat(control.getAccessibleName()).as(control.getTagName()).isNotBlank();
      }
    }
    assertThat(browser.find("#status").getAriaRole()).isEqualTo("status");
    assertThat(browser.find("#failure").getAriaRole()).isEqualTo("alert");
    assertThat(browser.run("return document.documentElement.lang")).isEqualTo("en");
  }

  @Test
  void itFitsAPhoneAndIsReadableInLightAndDark() {
    browser.command(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", 360, "height", 740, "deviceScaleFactor", 2, "mobile", true));
    try {
      open();
      choose(folder.resolve("grey.jpg"));
      browser.await(ANSWERED, 3);
      browser.run("document.querySelectorAll('details').forEach(d => d.open = true)");
      assertThat(browser.run("return document.documentElement.scrollWidth")).isEqualTo(360L);
      for (WebElement button : browser.all("button")) {
        if (button.isDisplayed()) {
          assertThat(button.getSize().height).as("large enough for a finger").isGreaterThan(43);
        }
      }
      for (String scheme : List.of("light", "dark")) {
        browser.command(
            "Emulation.setEmulatedMedia",
            Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
        browser.await("matchMedia('(prefers-color-scheme: ' + arguments[0] + ')').matches", scheme);
        assertThat(browser.run(PALE)).as(scheme).isEqualTo(List.of());
      }
    } finally {
      browser.command("Emulation.clearDeviceMetricsOverride", Map.of());
      browser.command("Emulation.setEmulatedMedia", Map.of("features", List.of()));
    }
  }

  @Test
  void aTokenIsAskedForAndKept() throws Exception {
    try (TestServer guarded = new TestServer().with(INTEGERS, model("vit")).token(TOKEN)) {
      guarded.start();
      browser.open(address(guarded));
      browser.await("document.querySelector('#token-dialog').open");
      browser.find("#token").sendKeys("another-token-of-some-length", Keys.ENTER);
      browser.await("document.querySelector('#token-reason').textContent !== ''");
      browser.await("document.querySelector('#token-dialog').open");
      browser.find("#token").sendKeys(TOKEN, Keys.ENTER);
      browser.await("document.querySelectorAll('#models article').length === 1");
      assertThat(browser.find("#choice").isDisplayed()).isFalse();
      choose(folder.resolve("grey.jpg"));
      browser.await(ANSWERED, 1);
      assertThat(browser.texts("#answers h3")).containsExactly(INTEGERS);
    }
  }
}
