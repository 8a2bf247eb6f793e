/* Stands for java.exe: prints its arguments and the class path in UTF-8 and ends with IVIT_TEST_CODE. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <shellapi.h>

enum { LONGEST = 32768 };

static void say(const wchar_t *text) {
  static char utf8[4 * LONGEST];
  WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, sizeof utf8, NULL, NULL);
  printf("[%s]\n", utf8);
}

int main(void) {
  static wchar_t value[LONGEST];
  int count;
  wchar_t **words = CommandLineToArgvW(GetCommandLineW(), &count);
  for (int i = 1; i < count; i++) {
    say(words[i]);
  }
  GetEnvironmentVariableW(L"CLASSPATH", value, LONGEST);
  say(value);
  return GetEnvironmentVariableW(L"IVIT_TEST_CODE", value, LONGEST) > 0 ? _wtoi(value) : 0;
}
