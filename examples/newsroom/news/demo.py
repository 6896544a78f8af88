"""The demo content: a small paper on its first day. Every person and place in it is invented."""

MOTTO = "News from the mountains to the sea"
SECTIONS = {
    "Region": "What happens between the pass and the harbour.",
    "Science": "What we learned, and how we know.",
    "Culture": "Stages, pages and pictures.",
    "Economy": "Work, money and what they are for.",
}
READERS = ("ana@readers.example", "bruno@readers.example", "chiara@readers.example")

ARTICLES = [
    {
        "section": "Region",
        "motif": "mountains",
        "title": "The pass stays open this winter, for the first time in forty years",
        "standfirst": "A new road crew, a borrowed plough and a stubborn mayor: how three villages decided not to "
        "be cut off again.",
        "author": "Elena Marquet",
        "hero_text": "Four ridges of violet mountains below a low sun",
        "body": """<p>When the first snow falls on the Col de Larche, the barrier usually comes down and stays down
until April. This year it will not. From Monday, a crew of eleven works in two shifts, and the valley on the other
side keeps its bus, its doctor and its baker.</p>
<p>“We were told every year that it could not be paid for,” says mayor Ruth Almer. “Then we asked what it costs
<em>not</em> to do it.” The answer filled nine pages: lost wages, ambulances sent the long way round, a school that
closed for six weeks.</p>
<h2>A plough on loan</h2>
<p>The machine itself belongs to an airport on the coast that no longer needs it. Two mechanics from the village
brought it up the pass in four days, at twelve kilometres an hour, and have repaired it twice since.</p>
<blockquote>A road is not open because a sign says so. It is open because somebody got up at three.</blockquote>
<p>The trial runs for two winters. After that, the three councils want to decide together, with figures: how many
hours the road was closed, who used it, and what it cost per journey.</p>""",
    },
    {
        "section": "Science",
        "motif": "stars",
        "title": "A small observatory hears from a comet that nobody expected",
        "standfirst": "Students found it in pictures taken for something else. Now larger telescopes are looking too.",
        "author": "Tomás Ferreira",
        "hero_text": "An observatory with an open dome below the Milky Way",
        "body": """<p>The dot moved. That was all there was to see: eleven pixels, four nights, one dot that was
not where it had been. “We thought it was a fault of the camera,” says Noor Haddad, who is in her second year. “We
cleaned the camera. It moved again.”</p>
<p>Since Thursday the dot has a provisional name and an orbit. It comes from far outside, it is about two kilometres
wide, and it will pass at a comfortable distance in late spring, bright enough for binoculars.</p>
<h2>Why nobody saw it earlier</h2>
<p>Large surveys look where most comets are. This one travels steeply out of the plane of the planets. The small
telescope on the plateau was watching a variable star there for a year and a half: patient work, with a comet as its
by-product.</p>
<p>The group has published all its pictures. Four schools have asked whether they may look for the next one.</p>""",
    },
    {
        "section": "Economy",
        "motif": "harbour",
        "title": "Cargo under sail: the old harbour finds new work",
        "standfirst": "Three schooners carry coffee, olive oil and spare parts along the coast. Slowly, reliably, and at "
        "a price that surprises shippers.",
        "author": "Chiara Bonetti",
        "hero_text": "Three sailing boats in an orange evening, the sun low over green water",
        "body": """<p>The crane is from 1931, the software that plans the routes from last year. Between them stands
Matteo Ricci with a clipboard and counts sacks. “Sixty-two,” he says. “The computer says sixty-two as well. That is a
good day.”</p>
<p>The cooperative began with one boat and a loan from its own customers. It now sails a fixed timetable between five
harbours; a delay of more than a day has happened twice in eight months.</p>
<h2>Not for everything</h2>
<p>Nobody here claims that sails will replace container ships. But for goods that keep, in amounts that do not fill a
container, the sum works out: no fuel, small harbours close to where things are needed, and a crew that owns a third
of the company.</p>
<ul><li>Five harbours, one round every nine days</li><li>Forty tonnes per boat</li><li>Twenty-three jobs, eleven of
them on board</li></ul>
<p>A fourth boat is being fitted out. Its name will be chosen by the pupils of the harbour school.</p>""",
    },
    {
        "section": "Culture",
        "motif": "orchestra",
        "title": "An orchestra without a conductor, and nobody misses him",
        "standfirst": "The Ensemble Contrapunto rehearses twice as long as others. The audience hears why.",
        "author": "Jonas Lindqvist",
        "hero_text": "Coloured arcs around a stage, like sound made visible",
        "body": """<p>Before the first note, forty people breathe in together. There is no other signal. What follows
is a Beethoven symphony of a clarity that one rarely hears, and a good deal of eye contact.</p>
<p>“You cannot hide behind a baton here,” says oboist Mei Tanaka. Every player has the full score on the stand, and in
rehearsal anybody may stop the music. It takes time. The ensemble plays six programmes a year instead of thirty.</p>
<h2>Democracy, with exceptions</h2>
<p>Tempi are discussed, at length, and then voted on. For modern works a different player each time prepares the
piece and has the last word. That was voted on too.</p>
<p>On Saturday they play in the old tram depot. Admission is free for anybody who brings a chair.</p>""",
    },
    {
        "section": "Region",
        "motif": "city",
        "title": "The city switches off half its lights, and sleeps better",
        "standfirst": "One year of darker streets: fewer complaints, more bats, and a surprise in the accident figures.",
        "author": "Amara Diallo",
        "hero_text": "A skyline at night with a few lit windows and a full moon",
        "body": """<p>A year ago the city began to dim its street lamps after eleven, district by district. Every
second lamp goes out, the others turn to a warm half. Opponents predicted burglaries, broken ankles and a wave of
complaints.</p>
<p>The complaints came, for a month. Then they stopped. The police count as many burglaries as before; the hospitals
count slightly fewer accidents at night. “People drive more slowly when it is darker,” says traffic engineer Paul
Okafor. “We had not dared to hope for that.”</p>
<h2>What remains bright</h2>
<p>Crossings, stations and the paths to the night bus stay lit. Anybody may report a spot that feels unsafe, and the
lamp there is back the next evening: that happened one hundred and twelve times, out of nine thousand lamps.</p>""",
    },
    {
        "section": "Economy",
        "motif": "fields",
        "title": "Who owns the wind? A village buys back its turbines",
        "standfirst": "Three hundred households became energy producers. The first dividend repaired the swimming pool.",
        "author": "Elena Marquet",
        "hero_text": "Three wind turbines on green hills in morning light",
        "body": """<p>The turbines had stood on the ridge for fifteen years, and what they earned went elsewhere. When
the operator wanted to sell, the village association made an offer that nobody took seriously, and then collected the
money in five weeks.</p>
<p>A share costs as much as a good bicycle; nobody may hold more than ten. The association has hired one person, who
used to work for the operator and knows each gearbox by its sound.</p>
<h2>The pool, the roof, the bus</h2>
<p>The first dividend was smaller than hoped, because the spring was calm. The assembly spent it on the swimming pool
all the same. Next come the roof of the school and a bus on Sundays, in this order, by ninety-one votes to
sixty.</p>""",
    },
]
