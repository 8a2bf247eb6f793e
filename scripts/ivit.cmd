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
  call mvn -q -B -ntp -Dstyle.color=never -DskipTests -Dspotless.check.skip=true package 1>&2 || (popd & echo ivit: the build failed; its messages are above 1>&2 & exit /b 1)
  popd
)
rem The jars of this checkout, wherever it lies now, and the libraries that Maven found, listed in UTF-8.
for %%m in (core train export) do for %%j in ("%root%\ivit-%%m\target\ivit-%%m-*.jar") do (
  echo %%~nj| findstr /e /c:-tests >nul || set "%%m=%%~fj"
)
for /f "tokens=2 delims=:." %%c in ('chcp') do set "page=%%c"
chcp 65001 >nul
for /f "usebackq delims=" %%d in ("%target%\dependencies") do set "dependencies=%%d"
chcp %page% >nul
rem Of the environment, because a command line is too short and an argument file has another encoding.
set "CLASSPATH=!export!;!train!;!core!;!dependencies!"
"%java%" -XX:+IgnoreUnrecognizedVMOptions -XX:+UseSerialGC -XX:MaxRAMPercentage=60 --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Divit.terminal=true %IVIT_JAVA_OPTS% org.ivit.export.cli.Main %*
exit /b %errorlevel%
