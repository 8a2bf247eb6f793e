package org.ivit.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** docs/recipe.md is what the code says; {@code -Divit.write=true} writes it anew. */
class RecipePageTest {
  private static final Path PAGE = Path.of("..", "docs", "recipe.md");

  private final RecipePage page = new RecipePage();

  @Test
  void readersNeedNoClassNames() {
    assertThat(page.text()).doesNotContain("{@");
  }

  @Test
  void thePageSaysWhatTheCodeDoes() throws IOException {
    if (Boolean.getBoolean("ivit.write")) {
      Files.writeString(PAGE, page.text());
    }
    assertThat(Files.readString(PAGE))
        .as("%s, written anew by -Dtest=RecipePageTest -Divit.write=true", PAGE)
        .isEqualTo(page.text());
  }

  @Test
  void everyKeyThatIsReadIsOnThePage() {
    assertThat(page.differences()).isEmpty();
  }

  @Test
  void theExampleIsARecipe() {
    Recipe example = Recipe.parse("example", RecipePage.EXAMPLE, List.of());
    assertThat(Recipe.parse("again", example.toYaml(), List.of())).isEqualTo(example);
  }
}
