; The installer for Windows, made by Inno Setup 6.3 or later from the folder that PyInstaller has built:
;   iscc /DVersion=0.1.0 /DSource=dist\bainiantie /DOutput=dist /DSetup=bainiantie-0.1.0-windows-amd64-setup bainiantie.iss
; For one person, without an administrator; an upgrade takes the place of what is there. This file is UTF-8 with a BOM.

#ifndef Version
  #error Version, Source, Output and Setup have to be defined (/DVersion=...)
#endif

#define Name "拜年帖"
#define Executable "bainiantie.exe"

[Setup]
AppId={{7E0C9A52-3B7F-4C6B-9A53-6C1D9B0E5A21}
AppName={#Name}
AppVersion={#Version}
AppVerName={#Name} {#Version}
AppPublisher=The Bainiantie authors
VersionInfoVersion={#Version}
DefaultDirName={localappdata}\Programs\Bainiantie
DefaultGroupName={#Name}
DisableProgramGroupPage=yes
DisableDirPage=auto
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
OutputDir={#Output}
OutputBaseFilename={#Setup}
SetupIconFile=..\..\resources\icons\bainiantie.ico
UninstallDisplayIcon={app}\{#Executable}
UninstallDisplayName={#Name}
LicenseFile=..\..\LICENSE
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
ShowLanguageDialog=auto
; A window that is open is asked to close before its files are replaced.
CloseApplications=yes
RestartApplications=no

[Languages]
; Inno Setup comes without Chinese; what our file does not say stays English.
Name: "zh"; MessagesFile: "compiler:Default.isl,chinese.isl"
Name: "en"; MessagesFile: "compiler:Default.isl"

[CustomMessages]
zh.DesktopIcon=在桌面上放一个图标
en.DesktopIcon=Put an icon on the desktop
zh.Start=打开拜年帖
en.Start=Open Bainiantie
zh.RemoveData=要把你存的内容也一起删除吗？%n%n包括写过的祝福、联系人、设置和下载的模型，都在：%n%1%n%2%n%n选“否”就留着，以后重新安装还能接着用。
en.RemoveData=Delete what you have saved, too?%n%nThat is everything written, your people, the settings and the downloaded model, in:%n%1%n%2%n%nWith No it stays and is there again when you reinstall.

[Tasks]
Name: "desktop"; Description: "{cm:DesktopIcon}"; Flags: unchecked

[InstallDelete]
; Libraries of an older version must not be found by a newer one.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Source}\*"; DestDir: "{app}"; Flags: recursesubdirs createallsubdirs ignoreversion

[Icons]
Name: "{autoprograms}\{#Name}"; Filename: "{app}\{#Executable}"; WorkingDir: "{app}"
Name: "{autodesktop}\{#Name}"; Filename: "{app}\{#Executable}"; WorkingDir: "{app}"; Tasks: desktop

[Run]
Filename: "{app}\{#Executable}"; Description: "{cm:Start}"; Flags: nowait postinstall skipifsilent

[Code]
{ Everything a person made lies in two folders of their own: what is written in Roaming, models and caches in Local. }
procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Written, Models: String;
begin
  if Step <> usPostUninstall then
    Exit;
  Written := ExpandConstant('{userappdata}\Bainiantie');
  Models := ExpandConstant('{localappdata}\Bainiantie');
  if not (DirExists(Written) or DirExists(Models)) then
    Exit;
  { Kept where nobody is there to be asked. }
  if SuppressibleMsgBox(FmtMessage(CustomMessage('RemoveData'), [Written, Models]), mbConfirmation, MB_YESNO or MB_DEFBUTTON2, IDNO) = IDYES then
  begin
    DelTree(Written, True, True, True);
    DelTree(Models, True, True, True);
  end;
end;
