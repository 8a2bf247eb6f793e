@echo off
rem Runs IVIT from a source tree: builds it where it is not built yet, then starts Java directly.
rem After a change of the sources run: mvn -DskipTests package
setlocal enabledelayedexpansion
set "root=%~dp0.."
set "target=%root%\ivit-export\target"
set "java=java"
if defined JAVA_HOME if exist "%JAVA_HOME%\bin\java.exe" set "java=%JAVA_HOME%\bin\java.exe"
"%java%" -version >nul 2>&1 || (echo ivit: java is missing: install a JDK, 17 or newer, or set JAVA_HOME 1>&2 & exit /b 1)
if not exist "%target%\dependencies" (
  where mvn >nul 2>&1 || (echo ivit: mvn is missing: install Apache Maven, 3.8 or newer, to build 1>&2 & exit /b 1)
  echo ivit: building ^(once; minutes the first time^) 1>&2
  pushd "%root%"
  call mvn -q -B -ntp -DskipTests -Dspotless.check.skip=true package 1>&2 || (popd & echo ivit: the build failed; its messages are above 1>&2 & exit /b 1)
  popd
)
for %%j in ("%target%\ivit-export-*.jar") do set "jar=%%~fj"
for /f "usebackq delims=" %%d in ("%target%\dependencies") do set "dependencies=%%d"
rem The class path is longer than a command line may be: an argument file holds it.
set "arguments=%target%\ivit.args"
set "path_=!jar!;!dependencies!"
> "%arguments%" echo -cp "!path_:\=\\!"
"%java%" -XX:+IgnoreUnrecognizedVMOptions -XX:+UseSerialGC -XX:MaxRAMPercentage=60 --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Divit.terminal=true %IVIT_JAVA_OPTS% @"%arguments%" org.ivit.export.cli.Main %*
exit /b %errorlevel%
