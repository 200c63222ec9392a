// Words that say nothing by themselves, or only how a text speaks to its reader ("please see", "gute Idee"), in the
// languages that most people write in. Of others, words that are everywhere are found by that.
import { foldText } from './fold.ts';

const english = `
	a able about after again against all already also always an and another any are as ask at available away back
	be because been before being better between both but by can can't cannot case certain could course did
	different do does doesn't don't done each easy enough etc even ever every exact example few find follow
	following for from full further get give given go going good had has have he he's help hence her here hers his
	how however idea if important in instead into is isn't it it's its itself just keep kept kind know large last
	later least less let like list long look lot made main make many may mean means might more most much must need
	needed needs never new next no nor not nothing number of often ok on once one only or other our ours out over
	own part particular per place please possible probably provide provided put quite rather read really
	recommended right run running same say section see seen set several shall she should show similar simple simply
	since small so some something sometimes soon specific still such sure table take than that the their theirs
	them then there these they things think this those three through to together too try two under until up upon us
	use used using usual usually various very want was way ways we well were what when where whether which while
	who whole whose why will with within without work works would wrong yes yet you your yours`;

const german = `
	aber abschnitt alle allem allen aller allerdings alles als am an andere anderem anderen anderer anderes anstatt
	auch auf aus außerdem beachten bei beide beiden beim beispiel beispielsweise benutzen benutzt bereits besser
	bestimmte bestimmten bis bitte bzw dabei dadurch dafür daher damit danach dann daran darauf daraus darf darin
	darum darüber das dass davon dazu deine dem demnach den denen denken denn der deren derer derzeit des deshalb
	dessen die dies diese diesem dieser dieses doch dort durch eben eigene eigenen eigentlich ein eine einem einen
	einer eines einfach einige einigen einiger einmal er erste ersten erster es etwa etwas fall falls folgen
	folgend folgende folgenden folgender folgendes fällen führen führt für ganz geben gegebenenfalls gegen gehen
	genau gerade gibt gilt gleich groß große großen gut gute guten guter gutes haben halten handelt hat hatte hier
	hilfe hinzu ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im in indem informationen innerhalb insbesondere
	ist ja je jede jedem jeden jeder jedes jedoch jemand jetzt kann kein keine keinen keiner können könnte könnten
	lassen lesen letzte letzten liegt machen macht man manche manchmal mehr mehrere meist meisten mindestens mit
	mithilfe muss möchte möchten möglich möglicherweise müssen nach nachdem natürlich neben neue neuem neuen neuer
	neues nicht nichts nie noch normalerweise nun nur nutzen nächste nächsten näheres nützlich obwohl oder oft ohne
	richtig sagen schon sehen sehr seien sein seine seinem seinen seiner seit selbst sich sicher sicherstellen sie
	siehe sind so sobald sofern sogar solche solchen soll sollen sollte sollten somit sonst soweit sowie sowohl
	statt stattdessen stehen steht stellen stets tabelle trotzdem tun um und uns unter usw verfügbar verschiedene
	verschiedenen versuchen verwenden verwendet viel viele vielen vielleicht vom von vor vorher war warum was wegen
	weil weise weitere weiteren weiterer weiteres weiterhin welche welchem welchen welcher wenige weniger wenn wer
	werden wichtig wie wieder will wir wird wirklich wissen wo wobei wollen wurde wurden während wäre wären würde
	würden zu zudem zuerst zum zur zusammen zusätzlich zwei zwischen über üblicherweise`;

const french = `
	afin ai ailleurs ainsi ait alors après assez au aucun aucune aussi autant autre autres aux avant avec avez
	avoir beaucoup bien bon bonne car cas ce cela celle celles celui cependant certain certaine certaines certains
	ces cette chacun chaque chez chose choses ci comme comment consulter consultez contre dans de dehors depuis
	dernier dernière derrière des deux devez devoir devraient devrait devrez dire dit doit doivent donc donner dont
	doute du dès déjà elle en encore enfin ensuite entre est est-à-dire et etc eu eux exemple faire fait faite
	faites faut fois font fournir fut générale hors ici idée il ils importe information informations jamais jusque
	la laquelle le lequel les lesquels leur lire lisez liste lors lorsque lui là maintenant mais manière meilleur
	meilleure mettre mieux mis moins même mêmes ne non nos notre nous nouveau nouveaux nouvel nouvelle nouvelles on
	ou où par parce parfois parmi part particulier pas pendant permet permettre peu peut peuvent pire plupart plus
	plusieurs plutôt possible pour pourquoi pourra pourrait pouvez pouvoir premier première près puis puisque qu
	quand quant que quel quelle quelque quelques quels qui quoi raison rien sa sans sauf savoir se section selon
	sera serait seront ses seul seule seulement si signifie sinon soi soient soit son sont sorte sous souvent suit
	suivant suivante suivantes suivants sur surtout sûr tableau tandis tant tel telle telles tels toujours tous
	tout toute toutefois toutes trop trouve trouver très un une utile utilise utiliser utilisez utilisé vers
	veuillez via voici voilà voir vos votre vous y également étaient était étant été être`;

const spanish = `
	al ante aquel aquella aquí así aunque aún bajo bien cada casi como con cual cuando cuanto cuándo cómo debe
	deben del desde después donde dos durante dónde ejemplo el ella ello ellos en entonces entre era eran es ese
	eso esos esta estaba estado estar estas este estos están forma fue ha haber hacer hacia hasta hay he la las lo
	los luego mejor mientras misma mismo mucho muchos muy más nada ni no nos nosotros nuestro o otra otras otro
	otros para pero poco por porque puede pueden pues que quien quién qué se sea según ser será si siempre sin sino
	sobre solo su sus sólo tal también tanto tiene tienen toda todas todo todos tras un una uno unos usar usted vez
	y ya`;

/** Folded. */
export const glue: ReadonlySet<string> = new Set(
	[english, german, french, spanish].flatMap((words) => foldText(words).trim().split(/\s+/))
);
